### Les fichiers d’un travail.


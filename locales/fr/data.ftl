### L’espace de dépôt.


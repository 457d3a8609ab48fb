### La page d’un travail.


### La page d’accueil.


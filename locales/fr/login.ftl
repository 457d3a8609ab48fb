### La page de connexion.

login-title = Connexion
login-user = Nom d’utilisateur
login-password = Mot de passe
login-go = Se connecter
login-guests = Sans compte ici, entrez comme invité :
login-welcome = Calculez sur les machines du site : soumettez un travail, suivez-le, récupérez ses résultats.

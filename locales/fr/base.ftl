### Autour de chaque page, et ce que disent les erreurs.

base-skip = Aller au contenu
base-nav = Principale
base-jobs = Travaux
base-new = Nouveau travail
base-data = Données
base-admin = Administration
base-log-out = Se déconnecter
error-home = Vers la page d’accueil
error-not-found = Introuvable
error-not-found-hint = L’adresse est peut-être erronée, l’objet n’existe plus, ou il ne vous est pas accessible.
error-forbidden = Interdit
error-forbidden-hint = Votre compte n’y est pas autorisé. Un administrateur peut vous dire pourquoi.
error-conflict = Pas maintenant
error-conflict-hint = La situation a changé depuis l’affichage de la page. Regardez à nouveau, puis réessayez.
error-too-many = Trop de demandes
error-too-many-hint = Attendez un peu, puis réessayez.
error-unavailable = Pas maintenant
error-unavailable-hint = Rien n’est perdu. Les travaux en cours continuent. Réessayez plus tard.
error-broken = Une erreur est survenue
error-broken-hint = La faute est de notre côté ; elle a été consignée pour les administrateurs.
error-bad = Cela n’a pas fonctionné
error-bad-hint = Revenez en arrière, corrigez ce qui est nommé ci-dessus, et renvoyez.
base-table = Les mêmes valeurs en tableau

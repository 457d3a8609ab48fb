### La page d’accueil.

home-title = Bonjour { $user }
home-now = Maintenant
home-run = { $count ->
    [0] Rien ne s’exécute.
    [one] 1 travail s’exécute.
   *[other] { $count } travaux s’exécutent.
}
home-wait = { $count ->
    [0] Rien n’attend.
    [one] 1 travail attend.
   *[other] { $count } travaux attendent.
}
home-submitted = soumis
home-ran = pendant { $span }
home-idle = Rien ne s’exécute ni n’attend.
home-all-active = Tout ce qui s’exécute ou attend
home-results = Derniers résultats
home-no-results = Aucun travail n’est encore terminé.
home-all-results = Tous les résultats
home-allowed = Ce que vous pouvez utiliser
home-time = Temps d’exécution
home-cpu = Cœurs
home-ram = Mémoire
home-gpu = GPU
home-disk = Fichiers de travaux
home-upload = Dépôts
home-gb = { $count } Go
home-of = { $used } sur { $quota }
home-no-quota = { $used }, sans quota
home-used-up = Épuisé
home-full-time = Les travaux attendent que l’utilisation passée ne compte plus.
home-full-disk = Les travaux attendent que leurs fichiers occupent moins : archivez des travaux terminés pour faire de la place.
home-full-upload = Rien de plus ne peut être déposé : supprimez des fichiers pour faire de la place.
home-window = { $days ->
    [one] Temps d’exécution, cœurs et mémoire : somme des travaux d’un jour.
   *[other] Temps d’exécution, cœurs et mémoire : somme des travaux des { $days } derniers jours.
}
home-share = Partage équitable
home-share-none = Personne n’a encore rien utilisé.
home-share-text = { $users ->
    [one] Vous avez utilisé { $part } % du temps d’exécution total ; personne d’autre n’en a utilisé. Une part égale est de { $even } %.
   *[other] Vous avez utilisé { $part } % du temps d’exécution total, sur { $users } utilisateurs. Une part égale est de { $even } %.
}
home-share-less = Vous avez utilisé moins qu’une part égale : vos travaux passent tôt. Votre priorité est de { $priority } sur 100.
home-share-more = Vous avez utilisé plus qu’une part égale : les travaux des autres passent d’abord. Votre priorité est de { $priority } sur 100.
home-share-fifo = Les travaux démarrent dans l’ordre de leur arrivée, quelle que soit l’utilisation passée.
home-new-title = Votre compte attend d’être activé
home-new-what = Un administrateur doit activer votre compte avant que vous puissiez soumettre des travaux. Il en a été informé. En attendant, vous pouvez regarder, et régler votre adresse électronique et votre langue.
home-new-profile = Vers votre profil
home-first-title = Bienvenue. Par où commencer
home-first-data = Déposez vos données
home-first-data-what = Chaque travail les trouve dans /mnt/god-data. Inutile si vos données sont déjà sur les volumes du site.
home-first-job = Soumettez un premier travail
home-first-job-what = Une image et un script suffisent. Essayez « echo bonjour » : cela prend une seconde.
home-first-key = Créez une clé d’API
home-first-key-what = Pour la ligne de commande : god login, puis god job submit.

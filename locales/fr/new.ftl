### Le formulaire d’un nouveau travail.

new-title = Nouveau travail
new-begin = Partir de
new-empty-form = le formulaire vide
new-begin-go = Remplir
new-name = Nom
new-image = Image
new-script = Script
new-script-note = Sa première ligne dit quel interpréteur l’exécute.
new-cores = Cœurs
new-memory = Mémoire, Go
new-gpus = GPU
new-time = Temps d’exécution
new-disk = Fichiers de travaux
new-limit = Durée maximale
new-limit-none = 30m, 12h, 2d
new-more = Plus : projet, tableau, dépendances, volumes, ports, étiquettes
new-project = Projet
new-array = Tableau
new-wait-for = Attendre les travaux
new-labels = Labels de nœud
new-ports = Ports
new-retries = Relances si un nœud tombe en panne
new-tmp = Stockage temporaire
new-executor = Exécuteur
new-any-executor = le premier qui le peut
new-tags = Étiquettes
new-description = Description
new-volumes = Volumes
new-not-mounted = non monté
new-read-only = lecture seule
new-read-write = lecture et écriture
new-network = Réseau
new-root = Root dans le conteneur
new-mail = Courriel à la fin
new-keep-as = Garder comme modèle nommé
new-keep = Garder
new-kept = Gardé comme modèle { $name }.
new-submit = Soumettre
new-check = Vérifier d’abord
new-refused = { $count ->
    [one] Il n’a pas été soumis : un point est à corriger.
   *[other] Il n’a pas été soumis : { $count } points sont à corriger.
}
new-faults = { $count ->
    [one] Un point est à corriger.
   *[other] { $count } points sont à corriger.
}
new-outlook = Quand il pourrait démarrer
new-outlook-none = Remplissez le formulaire, puis vérifiez : ce qui ne va pas, ce qu’un interpréteur dit du script, et quand le travail pourrait démarrer.
new-starts = Il démarrerait tout de suite.
new-some-start = { $starts } de ses { $jobs } travaux démarreraient tout de suite.
new-waits = Il devrait attendre.
new-rejected = Il serait rejeté.
new-nobody-knows = Aucun ordonnanceur ne répond pour le moment ; il serait gardé jusque-là.
new-script-well = Un interpréteur sait lire le script.
new-script-faults = { $count ->
    [one] Un interpréteur ne sait pas lire cette ligne du script. Il peut être soumis malgré tout.
   *[other] Un interpréteur ne sait pas lire ces lignes du script. Il peut être soumis malgré tout.
}
new-line = Ligne { $number }
new-free = Libre maintenant
new-free-of = { $free } sur { $total } libres
new-largest = Au plus pour un travail : { $room } sur { $node }.
new-nothing-free = Aucun nœud n’a rien de libre.
new-away = Il ne répond pas : { $why }
new-your-quota = Votre quota
new-project-quota = Quota de { $project }
new-left-of = reste { $left } sur { $total }
new-json = En JSON

### Listes de travaux.

jobs-title = Travaux
jobs-which = Quels travaux
jobs-active = Actifs
jobs-over = Terminés
jobs-any = Tous
jobs-disk = Espace disque
jobs-whose = Les travaux de qui
jobs-mine = Les miens
jobs-of-project = Projet { $project }
jobs-everyone = Tout le monde
jobs-text = Mots du nom
jobs-find = Chercher
jobs-filters = Filtres et ordre
jobs-state = État
jobs-state-over = terminé
jobs-state-archived = archivé
jobs-state-unsuccessful = mal terminé
jobs-project = Projet
jobs-all-projects = Tous les projets
jobs-tag = Étiquette
jobs-image = Image
jobs-user = Utilisateur
jobs-user-hint = * pour tout le monde
jobs-submitted = Soumis
jobs-ended = Terminé
jobs-from = du
jobs-until = au
jobs-order = Ordre
jobs-order-newest = Derniers soumis d’abord
jobs-order-oldest = Premiers soumis d’abord
jobs-order-ended = Derniers terminés d’abord
jobs-order-ended-first = Premiers terminés d’abord
jobs-order-longest = Les plus longs d’abord
jobs-order-shortest = Les plus courts d’abord
jobs-size = Travaux par page
jobs-apply = Afficher
jobs-clear = Revenir à tous les travaux actifs
jobs-node = Nœud
jobs-narrowed = Ce à quoi cette liste est restreinte
jobs-without = Sans { $what }
jobs-chip-text = nom : { $value }
jobs-chip-user = utilisateur : { $value }
jobs-chip-project = projet : { $value }
jobs-chip-tag = étiquette : { $value }
jobs-chip-image = image : { $value }
jobs-chip-depends-on = dépend de : { $value }
jobs-chip-node = nœud : { $value }
jobs-chip-from = soumis à partir du { $value }
jobs-chip-until = soumis jusqu’au { $value }
jobs-chip-ended-from = terminé à partir du { $value }
jobs-chip-ended-until = terminé jusqu’au { $value }
jobs-keep = Garder cette liste
jobs-keep-name = Nom
jobs-keep-go = Garder
jobs-forget = Oublier « { $name } »
jobs-fault-state = Cet état n’existe pas.
jobs-fault-user = Ce n’est pas un nom d’utilisateur.
jobs-fault-project = Ce n’est pas un nom de projet.
jobs-fault-text = Les noms se cherchent par leurs mots : tapez des lettres ou des chiffres.
jobs-fault-day = Un jour s’écrit comme 2026-11-23.
jobs-fault-other = Cet ordre ou ce nombre de travaux n’existe pas.
jobs-job = Travail
jobs-cores = Cœurs
jobs-ram = Go
jobs-date = Quand
jobs-time = Durée
jobs-array = { $over } sur { $children } terminés
jobs-array-failed = { $over } sur { $children } terminés, dont { $failed } mal
jobs-exit = code { $code }
jobs-child = Indice { $index }
jobs-children = Les { $count } travaux de ce tableau
jobs-tick-all = Cocher toute la page
jobs-tick = Travail { $id }
jobs-ticked = { $count ->
    [one] 1 travail coché
   *[other] { $count } travaux cochés
}
jobs-with-ticked = Avec les travaux cochés
jobs-kill = Tuer
jobs-archive = Archiver
jobs-tag-add = Ajouter l’étiquette
jobs-tag-remove = Retirer l’étiquette
jobs-confirm-kill = Tuer les travaux cochés ? Ils ne pourront plus reprendre.
jobs-confirm-archive = Archiver les travaux cochés ? Leurs fichiers sont supprimés ; leurs fiches restent.
jobs-did-kill = { $count ->
    [0] L’arrêt n’a été demandé pour aucun travail.
    [one] L’arrêt d’un travail a été demandé.
   *[other] L’arrêt de { $count } travaux a été demandé.
}
jobs-did-archive = { $count ->
    [0] Aucun travail n’est archivé.
    [one] Les fichiers d’un travail sont en cours de suppression.
   *[other] Les fichiers de { $count } travaux sont en cours de suppression.
}
jobs-did-tag = { $count ->
    [0] Aucun travail n’a été étiqueté.
    [one] 1 travail a été étiqueté.
   *[other] { $count } travaux ont été étiquetés.
}
jobs-did-untag = { $count ->
    [0] Aucune étiquette n’a été retirée.
    [one] L’étiquette a été retirée d’un travail.
   *[other] L’étiquette a été retirée de { $count } travaux.
}
jobs-did-not = { $count ->
    [one] 1 des travaux cochés n’est pas dans un état qui le permet.
   *[other] { $count } des travaux cochés ne sont pas dans un état qui le permet.
}
jobs-did-save = La liste est gardée : elle figure ci-dessus.
jobs-did-forget = La liste est oubliée. Ses travaux restent tels quels.
jobs-did-nothing = Rien n’a été fait : cochez d’abord des travaux, et tapez l’étiquette s’il s’agit d’en poser une.
jobs-none = Vous n’avez pas encore de travaux.
jobs-first = Soumettre votre premier travail
jobs-none-active = Rien ne s’exécute ni n’attend.
jobs-submit = Soumettre un travail
jobs-see-over = Voir ceux qui sont terminés
jobs-none-over = Aucun travail n’est encore terminé.
jobs-none-here = Il n’y a pas de travaux aussi loin.
jobs-first-page = À la première page
jobs-no-match = Aucun travail ne correspond.
jobs-no-match-any = Chercher parmi les travaux de tout état
jobs-no-match-clear = Afficher tous les travaux
jobs-none-yet = Rien trouvé jusqu’ici ; il reste des travaux à parcourir.
jobs-look-on = Continuer la recherche
jobs-before = Avant
jobs-after = Après
jobs-pages = Pages
jobs-found = { $count ->
    [one] 1 travail
   *[other] { $count } travaux
}
jobs-loading = Chargement

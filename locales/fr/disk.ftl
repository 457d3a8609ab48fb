### Ce qui occupe l’espace du lecteur.

disk-title = Espace disque
disk-used-of = Les fichiers de vos travaux occupent { $used } sur { $quota }.
disk-used = Les fichiers de vos travaux occupent { $used }. Vous n’avez pas de quota.
disk-exceeded = Aucun de vos travaux ne démarre tant qu’ils n’occupent pas moins.
disk-empty = Aucun travail terminé n’a de fichiers ici.
disk-what = Ce qui l’occupe, le plus gros d’abord. Archiver un travail supprime ses fichiers et garde sa fiche.
disk-job = Travail
disk-size = Taille
disk-share = Du total
disk-ended = Terminé
disk-tick = Travail { $job }
disk-little = moins de 1 %
disk-archive = Archiver les travaux cochés
disk-archive-sure = Archiver les travaux cochés ? Leurs fichiers sont supprimés ; leurs fiches restent.
disk-more = et { $count } plus petits, sur { $jobs } au total

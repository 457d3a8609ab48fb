### Les travaux, leurs états et pourquoi ils attendent.

word-instant = moins de 0,01 s
word-resources = { $count ->
    [one] { $cores } cœur
   *[other] { $cores } cœurs
}, { $ram } Go
word-gpus = { $count ->
    [one] 1 GPU
   *[other] { $count } GPU
}
word-ends-well = réussit
word-fails = échoue
word-ends-at-all = se termine
word-quota-time = temps
word-quota-cpu = cpu
word-quota-ram = mémoire
word-quota-gpu = gpu
word-quota-disk = disque
state-pending = en attente
state-starting = au démarrage
state-running = en cours
state-suspended = suspendu
ending-done = réussi
ending-killed = tué
ending-failed = en échec
ending-out-of-memory = mémoire épuisée
ending-time-limit = durée dépassée
ending-node-failure = panne de nœud
ending-rejected = rejeté
now-array-waits = Ses travaux n’ont pas encore démarré.
now-waits = Il attend son tour.
now-starting = Il démarre sur { $node }.
now-suspended = Il est suspendu sur { $node }.
now-array-runs = { $over } de ses { $children } travaux sont terminés.
now-runs = Il s’exécute sur { $node }.
now-archived = Ses fichiers ont été supprimés ; ceci est sa fiche.
ended-failed = Son script s’est terminé avec le code { $code }.
ended-failed-somehow = Il a échoué, sans que l’on sache comment.
ended-done = Il s’est bien terminé.
ended-killed = Il a été tué.
ended-out-of-memory = Il lui fallait plus de mémoire qu’il n’en avait demandé.
ended-time-limit = Il a dépassé sa durée maximale.
ended-node-failure = Son nœud est tombé en panne, et il n’avait plus de relance.
ended-quota = Un quota ne le permet pas.
ended-impossible = Aucun nœud ne pourrait l’exécuter.
ended-array = { $failed } de ses { $children } travaux ne se sont pas bien terminés.
ended-dependency = Un travail dont il dépendait ne s’est pas terminé comme il le fallait.
ended-out-of-memory-asked = Il a utilisé plus que les { $ram } Go qu’il avait demandés.
ended-killed-waiting = Il a été tué avant de démarrer.
ended-quota-user = Il dépasserait le quota de { $quota } de son propriétaire.
ended-quota-project = Il dépasserait le quota de { $quota } du projet.
ended-dependency-other = Il attendait le travail { $job } ({ $wanted }), qui a connu une autre fin : { $ending }.
ended-dependency-gone = Il attendait le travail { $job } ({ $wanted }), qui a été supprimé.
asked-kill = On lui a demandé de s’arrêter.
asked-suspend = On lui a demandé de se suspendre.
asked-resume = On lui a demandé de reprendre.
asked-reschedule = Il est remis dans la file d’attente.
asked-archive = Ses fichiers sont en cours de suppression.
asked-purge = Il est en cours de suppression.
waiting-place = Il est numéro { $position } dans la file.
waiting-place-and-time = Il est numéro { $position } dans la file, et pourrait démarrer dans { $time } environ.
reason-not-considered = Il vient d’arriver et sera examiné dans un instant.
reason-queue = Les travaux qui le précèdent occupent ce qui est libre.
reason-capacity = Aucun nœud n’a { $needs } de libre pour le moment.
reason-held-for = De la place est gardée pour le travail { $job }, qui attend depuis plus longtemps.
reason-dependency = Il attend des travaux : { $jobs }.
reason-array-throttle = Son tableau exécute au plus { $limit } travaux à la fois, et ils sont en cours.
reason-labels = Aucun nœud étiqueté { $labels } n’est disponible.
reason-drained = Ce qui pourrait l’exécuter ne prend pas de nouveau travail pour l’instant : { $nodes }.
reason-quota-disk = Les fichiers de travaux de son propriétaire remplissent le quota de disque : archivez des travaux terminés pour faire de la place.
reason-quota-user = Son propriétaire a épuisé le quota de { $quota } ; il démarrera quand l’utilisation passée ne comptera plus.
reason-quota-project = Le projet a épuisé son quota de { $quota } ; il démarrera quand l’utilisation passée ne comptera plus.
reason-maintenance = GoDocker est en maintenance et ne démarre rien pour l’instant.
reason-account-disabled = Le compte de son propriétaire est désactivé.
reason-not-member = Son propriétaire n’est plus membre du projet { $project }.
reason-executor-away = L’exécuteur { $executor } ne répond pas ({ $message }) ; le travail démarrera quand il répondra.
reason-array-children = Les travaux de son tableau n’ont pas encore démarré.
reason-retry = Un nœud est tombé en panne sous lui ; il sera relancé (lancement { $launch }).

### Ce qui n’allait pas dans ce qui a été envoyé, comme le disent l’API et les pages. Des morceaux de phrases : une page en fait une phrase quand ils sont seuls.

## Comment plusieurs sont réunis.

fault-at = { $field } : { $fault }
fault-of = { $field } :
fault-of-days = jours
fault-of-path = chemin
fault-of-queue = file d’attente
fault-and-another = { $one } ; { $other }
word-or = { $one } ou { $other }
word-and = { $one } et { $other }

## De quelle sorte est la valeur.

kind-null = null
kind-flag = true ou false
kind-number = un nombre
kind-text = un texte
kind-list = une liste
kind-object = un objet
fault-kind = il faut { $what }, et non { $got }
fault-expected = valeurs possibles : { $what }

## N’importe quel champ.

fault-needed = champ obligatoire
fault-empty = ne doit pas être vide
fault-characters = { $most } caractères au plus, et non { $got }
fault-bytes-got = { $most } octets au plus, et non { $got }
fault-too-many = { $most } au plus, et non { $got }
fault-control = ne doit pas contenir de caractères de contrôle
fault-nul = ne doit pas contenir de caractère NUL
fault-whole = il faut un nombre entier de { $first } à { $last }
fault-whole-got = il faut un nombre entier de { $first } à { $last }, et non { $got }
fault-at-most-characters = { $most } caractères au plus
fault-text-at-most = il faut un texte de { $most } caractères au plus
fault-job-id = { $text } n’est pas un numéro de travail : il faut un nombre entier positif
fault-user-id = { $text } n’est pas un identifiant d’utilisateur : il faut 1 à 64 lettres sans accent, chiffres ou . _ @ + -, en commençant par une lettre, un chiffre ou _
fault-project-id = { $text } n’est pas un nom de projet : il faut 1 à 64 lettres sans accent, chiffres ou . _ @ + -, en commençant par une lettre, un chiffre ou _

## Un nouveau travail : ce qu’il est.

fault-job-object = il faut un travail sous forme d’objet, et non { $got }
fault-interactive = les sessions interactives ne sont pas proposées ici
fault-image = il faut une image comme debian, debian:stable ou host:5000/team/tool:1.2 ; les noms sont en minuscules
fault-image-digest = après @ vient une empreinte comme sha256:<64 chiffres hexadécimaux>
fault-image-tag = la version après : doit compter 1 à 128 lettres, chiffres ou _ . -, sans commencer par . ni -
fault-image-name = le nom d’une image compte 255 caractères au plus
fault-images-of-site = seules les images de ce site peuvent être utilisées : { $images }
fault-root = les travaux ne peuvent pas s’exécuter en root ici
fault-root-guests = les travaux des invités ne peuvent pas s’exécuter en root ici
fault-not-member = { $user } n’est membre d’aucun projet { $project }

## Un nouveau travail : ce qu’il demande.

fault-cores = il faut de { $least } à { $most } cœurs, et non { $got }
fault-memory = il faut de { $least } à { $most } Go, et non { $got }
fault-seconds = il faut un nombre entier de secondes
fault-lifespan = il faut un nombre de secondes, ou une durée comme 90s, 30m, 12h, 2d (deux jours) ou 1w (une semaine)
fault-lifespan-kind = il faut un nombre de secondes ou un texte comme 2d, et non { $got }
fault-lifespan-range = doit être entre une seconde et cent ans
fault-tmp-object = il faut un objet avec une taille, et non { $got }
fault-tmp-size = il faut une taille comme 500M ou 10g
fault-tmp-path = il faut un chemin du conteneur comme /scratch, hors de /mnt et des dossiers du système
fault-tmp-memory = il est en mémoire, et le travail en demande { $ram } Go : demandez plus de mémoire, ou moins de ce stockage
fault-uris = l’exécuteur d’ici ne peut pas chercher de fichiers avant le démarrage d’un travail
fault-array-object = il faut un objet avec la clé values, et non { $got }
fault-array-form = il faut dernier, premier:dernier ou premier:dernier:pas, avec si l’on veut %n pour n à la fois au plus
fault-array-step = le pas doit être d’au moins 1
fault-array-order = le premier indice, { $first }, dépasse le dernier, { $last }
fault-array-throttle = après % vient combien peuvent s’exécuter à la fois, au moins 1
fault-array-size = un tableau peut avoir { $most } travaux ici, celui-ci en a { $count }
fault-dependency = il faut le numéro d’un travail, seul ou avec :ok, :failed ou :any
fault-dependency-well = le travail { $job } ne peut plus bien se terminer, car il est terminé : { $ending }
fault-dependency-badly = le travail { $job } ne peut plus mal se terminer, car il est terminé : { $ending }
fault-job-unseen = le travail { $job } n’existe pas, ou il ne vous est pas accessible
fault-label = il faut un label sous la forme nom==valeur
fault-label-none = le label { $label } n’existe pas ici : ce site n’en a aucun
fault-label-unknown = le label { $label } n’existe pas ici, mais il y a { $offered }
fault-port = il faut un port de 1 à 65535
fault-port-twice = le port { $port } est demandé deux fois

## Un nouveau travail : ses volumes.

fault-volume-object = il faut un objet avec name et acl, et non { $got }
fault-volume-name = il faut le nom d’un volume
fault-volume-twice = ce volume est demandé deux fois
fault-volume-none = il n’y a pas ici de volume { $name } pour vous : il n’y en a aucun
fault-volume-unknown = il n’y a pas ici de volume { $name } pour vous, mais { $offered }
fault-volume-read-only = le volume { $name } est en lecture seule
fault-volume-directory = le dossier du volume { $name } n’existe pas
fault-volume-no-path = ce volume n’a pas de chemin dans la configuration
fault-no-home = { $user } n’a pas de dossier personnel ici

## Un nouveau travail : ce que peuvent les exécuteurs et les nœuds.

fault-executor-unknown = il n’y a pas d’exécuteur { $executor } ici, mais { $offered }
fault-executor-root = l’exécuteur { $executor } ne peut pas exécuter de travaux en root
fault-executor-ports = l’exécuteur { $executor } ne peut pas ouvrir de ports
fault-executor-tmp = l’exécuteur { $executor } ne peut pas fournir de stockage temporaire
fault-executor-volumes = l’exécuteur { $executor } ne peut pas donner de volumes, car il exécute les travaux sur l’hôte même
fault-executor-pause = l’exécuteur { $executor } ne peut ni suspendre ni reprendre de travaux
fault-guests-contained = les travaux des invités ne s’exécutent que dans des conteneurs, et l’exécuteur { $executor } n’en a pas
fault-nodes-cores = aucun nœud n’a plus de { $most } cœurs
fault-nodes-memory = aucun nœud n’a plus de { $most } Go
fault-nodes-no-gpu = aucun nœud n’en a
fault-nodes-gpus = aucun nœud n’en a plus de { $most }
fault-nodes-labels = aucun nœud n’est étiqueté { $labels }
fault-nodes-together = aucun nœud n’a à la fois { $wants } avec les labels demandés
fault-resources = { $cpu } cœurs, { $ram } Go
fault-resources-gpus = { $cpu } cœurs, { $ram } Go, { $gpus } GPU

## La soumission : pour qui, et combien.

fault-on-behalf = seuls les administrateurs peuvent soumettre des travaux pour quelqu’un d’autre
fault-no-active-user = il n’y a pas d’utilisateur actif { $user }
fault-rate-own = vous avez { $pending } travaux en attente sur { $limit } permis : vous pouvez en soumettre encore { $left }, et il y en aurait ici { $new }
fault-rate-all = tous les utilisateurs ensemble ont { $pending } travaux en attente sur { $limit } permis : on peut en soumettre encore { $left }, et il y en aurait ici { $new }
fault-maintenance = GoDocker est en maintenance : aucun nouveau travail n’est accepté pour l’instant.

## Ce qui est demandé à un travail.

phase-over = terminé
phase-archived = archivé
done-killed = tué
done-suspended = suspendu
done-resumed = repris
done-rescheduled = remis en file d’attente
done-archived = archivé
done-deleted = supprimé
fault-job-phase = l’état du travail { $job } est « { $phase } » : seul un travail dont l’état est « { $only } » peut être { $done }
fault-job-changed = le travail { $job } ne peut plus être { $done } : il vient de changer
fault-job-being-killed = le travail { $job } est en train d’être tué et ne peut pas être { $done }
fault-job-suspended = le travail { $job } est déjà suspendu
fault-job-not-suspended = le travail { $job } n’est pas suspendu
fault-job-deleted = le travail { $job } vient d’être supprimé
fault-array-none-now = aucun travail du tableau { $job } ne peut être { $done } maintenant
fault-purge = seuls son propriétaire et les administrateurs peuvent supprimer le travail { $job } avec sa fiche
fault-jobs-at-once = il faut de 1 à { $most } travaux à la fois
fault-job-ids = il faut une liste de numéros de travaux
fault-job-ids-most = il faut une liste de 1 à { $most } numéros de travaux
fault-job-id-needed = il faut le numéro d’un travail
fault-tags = il faut une liste d’étiquettes
fault-tags-none = il faut des étiquettes à ajouter ou à retirer
fault-tags-many = le travail { $job } aurait plus de { $most } étiquettes
fault-array-tags = le travail { $job } a les étiquettes de son tableau : étiquetez le travail { $parent }
fault-requirement = il faut le nom d’une exigence
fault-requirement-unknown = { $name } ne peut pas être modifié ici ; ce qui peut l’être : { $offered }
fault-requirement-reserved = seuls les administrateurs peuvent modifier { $name }
fault-requirement-fixed = cette exigence ne change plus une fois le travail accepté
fault-not-active = seul un travail actif peut être modifié
fault-job-keeps-changing = le travail { $job } change sans cesse : réessayez

## Les modèles.

fault-template-name = il faut de 1 à { $most } caractères sur une ligne
fault-template-document = il faut un travail comme POST /task l’accepte
fault-template-bytes = { $most } octets au plus
fault-template-taken = il y a déjà un modèle nommé { $name }, ou il y en a { $most } : supprimez-en un d’abord
fault-document-or-job = il faut un document, ou sinon un travail

## Les listes, et les rapports d’utilisation.

fault-search-words = il faut des mots d’un nom : lettres et chiffres
fault-not-beside-node = ne se combine pas avec un nœud
fault-cursor = il faut un curseur tel qu’une réponse précédente l’avait
fault-cursors = il faut after ou before, et non les deux
fault-limit = il faut un nombre de 1 à { $most }
fault-moment = il faut un jour comme 2026-11-23, ou des secondes Unix
fault-order = il faut submitted, ended ou run_time, ou -submitted..
fault-day = il faut un jour comme 2026-11-23
fault-period = il faut un jour avant le dernier, et { $most } jours au plus
fault-others-jobs = seuls les administrateurs voient les travaux des autres, sauf dans les projets dont les membres partagent les leurs
fault-others-use = seuls les administrateurs voient ce que les autres utilisent
fault-project-use = seuls les administrateurs voient ce que les autres utilisent, et les membres ce qu’utilise leur projet

## Les comptes.

fault-email = il faut une adresse comme ann@lab.example
fault-zone = il faut le nom d’un fuseau horaire comme Europe/Paris, ou rien pour celui du navigateur
fault-saved-lists = il faut { $most } listes au plus, chacune étant une requête sous un nom à elle de { $longest } caractères au plus
fault-public-keys = il faut des clés publiques OpenSSH, une par ligne, comme ssh-ed25519 AAAA... nom
fault-own-size = il faut des octets, une taille comme 500M, 10G ou 2T, ou rien pour ce que le site donne à chacun
fault-reserved = seuls les administrateurs peuvent modifier les priorités, les quotas, les droits et l’activation d’un compte
fault-guest-admin = un invité ne peut pas être administrateur
fault-directory-email = l’adresse de ce compte vient de l’annuaire : c’est là qu’il faut la modifier
fault-last-administrator = { $user } est le dernier administrateur
fault-delete-self = personne ne supprime le compte avec lequel il est connecté
fault-meanwhile = quelqu’un d’autre l’a modifié entre-temps : regardez à nouveau
fault-no-password = ce compte n’a pas de mot de passe ici
fault-old-password = ce n’est pas le mot de passe actuel
fault-password-short = il faut au moins { $least } caractères
fault-token-name = dites à quoi il sert, en { $most } caractères au plus
fault-token-days = il faut de 1 à { $most } jours, ou rien pour un jeton qui n’expire pas
fault-tokens-many = il y a déjà { $most } jetons : supprimez-en un d’abord
fault-names-taken = tous les noms comme { $name } sont déjà pris ici

## Les projets.

fault-user-needed = il faut l’identifiant d’un utilisateur
fault-members = il faut une liste de { $most } identifiants d’utilisateurs au plus
fault-project-exists = il y a déjà un projet { $project }
fault-project-active = des travaux de { $project } sont en cours ou en attente (il y en a { $count }) : tuez-les ou laissez-les se terminer d’abord
fault-default-stays = le projet default existe toujours
fault-default-members = tout le monde est dans le projet default
fault-default-quota = le projet default n’a pas de quota
fault-default-volumes = tout le monde est dans le projet default : utilisez les volumes du site dans go-d.ini
fault-volumes = il faut une liste de { $most } volumes au plus
fault-volume-own-name = il faut un nom à lui : lettres, chiffres, - _ et . (ni home, ni go-docker)
fault-absolute-path = il faut un chemin absolu sans . ni ..
fault-mount-ours = il faut un endroit qui ne soit pas à GoDocker : ni /mnt/go-docker, ni /mnt/home, ni /mnt/god-data
fault-mount-twice = il faut un endroit à lui

## La connexion, et qui peut quoi.

fault-unauthorized = connectez-vous d’abord : aucun jeton ni aucune session valable n’accompagnait la demande
fault-login-denied = nom d’utilisateur, mot de passe ou clé incorrects
fault-login-unavailable = les connexions ne peuvent pas être vérifiées pour le moment : réessayez plus tard
fault-login-too-many = trop de connexions échouées : attendez une minute, puis réessayez
fault-login-name = l’identifiant de l’annuaire ne peut pas être utilisé ici : { $why }
fault-login-incomplete = il manque dans l’annuaire ce qu’il faut aux travaux pour s’exécuter en votre nom : adressez-vous à un administrateur
fault-login-again = cette connexion en a croisé une autre : réessayez
fault-login-stale = cette connexion n’a pas commencé ici, ou il y a trop longtemps : recommencez
fault-provider-refused = le fournisseur ne vous a pas laissé entrer
fault-provider-untrusted = la réponse du fournisseur n’est pas fiable : recommencez
fault-proxy-stranger = le serveur mandataire dit que vous êtes { $name }, qui n’a pas de compte ouvert ici
fault-account-disabled = ce compte est désactivé
fault-session = la session n’a pas pu être écrite
fault-token-scope = ce jeton ne permet pas cela : sa portée est { $scope }, il faut { $needed }
fault-not-activated = un administrateur doit d’abord activer ce compte : en attendant, on peut seulement regarder
fault-administrators-only = réservé aux administrateurs
fault-metrics = metrics_allow ne contient pas cette adresse
fault-form-expired = le formulaire a expiré : revenez en arrière, rechargez la page et renvoyez-le

## La demande dans son ensemble.

fault-not-found = cela n’existe pas, ou ne vous est pas accessible ({ $what })
fault-not-understood = cette demande n’est pas comprise : { $why }
fault-part-not-understood = une partie de la demande n’est pas comprise ({ $part }) : { $why }
fault-body-large = le corps de la demande dépasse { $most } octets
fault-form-not-understood = le formulaire n’est pas compris : { $why }
fault-form-cut = le formulaire n’a pas été envoyé en entier : { $why }
fault-form-large = le formulaire dépasse { $most } octets
fault-unavailable = le service n’est pas disponible pour le moment
fault-internal = une erreur est survenue ici ; le journal dit laquelle
fault-database-full = le disque de la base de données est plein : rien n’a été enregistré, libérez de la place et réessayez
fault-disk-full = le disque du dossier partagé est plein

## Les fichiers.

fault-file-not-found = aucun fichier ni dossier de ce nom
fault-file-outside = ce chemin mène hors du dossier
fault-file-not-a-file = ce n’est pas un fichier ordinaire
fault-file-directory = c’est un dossier
fault-file-exists = il y a déjà quelque chose de ce nom
fault-file-not-empty = le dossier n’est pas vide
fault-file-anothers = un dossier de l’uid { $uid } est déjà là, et n’est pas celui de ce travail
fault-file-size = le fichier a { $size } octets maintenant : continuez à partir de là, ou renvoyez-le
fault-file-over-quota = il n’y a pas assez de place : on peut garder { $quota } octets, et { $used } sont utilisés
fault-file-cut = le fichier n’a pas été envoyé en entier : { $why }
fault-file-large = { $path } a { $size } octets, et l’on peut en télécharger { $most } au plus ici
fault-directory-large = le dossier a { $size } octets, et l’on peut en télécharger { $most } au plus ici
fault-archives-many = { $count } archives sont déjà en cours de téléchargement : réessayez dans une minute
fault-path-nul = un chemin ne contient pas de NUL
fault-path-absolute = le chemin doit partir du dossier
fault-path-empty-name = un chemin ne contient pas de noms vides
fault-path-too-long = le chemin est trop long
fault-path-top = il faut un fichier ou un dossier de l’espace
fault-path-control = un nom ne contient pas de caractères de contrôle
fault-path-slash = le nom d’un dossier ne contient pas de /
fault-path-guest-home = le dossier d’un invité a un nom et un emplacement
fault-data-verb = il faut ?dir=1 pour créer un dossier, ou ?from=CHEMIN pour déplacer

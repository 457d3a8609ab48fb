### What was wrong with what was sent, as the API says it and pages do. Parts of sentences: a page makes a sentence of them where they stand alone.

## How several are put together.

fault-at = { $field }: { $fault }
fault-of = { $field }:
fault-of-days = days
fault-of-path = path
fault-of-queue = queue
fault-and-another = { $one }; { $other }
word-or = { $one } or { $other }
word-and = { $one } and { $other }

## What kind of value it is.

kind-null = null
kind-flag = true or false
kind-number = a number
kind-text = a text
kind-list = a list
kind-object = an object
fault-kind = expected { $what }, got { $got }
fault-expected = expected { $what }

## Any field.

fault-needed = is needed
fault-empty = must not be empty
fault-characters = at most { $most } characters are allowed, got { $got }
fault-bytes-got = at most { $most } bytes are allowed, got { $got }
fault-too-many = at most { $most } are allowed, got { $got }
fault-control = must not hold control characters
fault-nul = must not hold a NUL character
fault-whole = expected a whole number from { $first } to { $last }
fault-whole-got = expected a whole number from { $first } to { $last }, got { $got }
fault-at-most-characters = expected at most { $most } characters
fault-text-at-most = expected a text of at most { $most } characters
fault-job-id = { $text } is not a job id: expected a positive whole number
fault-user-id = { $text } is not a user id: expected 1 to 64 letters, digits or . _ @ + -, beginning with a letter, a digit or _
fault-project-id = { $text } is not a project id: expected 1 to 64 letters, digits or . _ @ + -, beginning with a letter, a digit or _

## A new job: what it is.

fault-job-object = expected a job as an object, got { $got }
fault-interactive = interactive sessions are not offered here
fault-image = expected an image like debian, debian:stable or host:5000/team/tool:1.2; names are in lower case
fault-image-digest = after @ comes a digest like sha256:<64 hex digits>
fault-image-tag = the tag after : must be 1 to 128 letters, digits or _ . -, not beginning with . or -
fault-image-name = the name of an image is at most 255 characters long
fault-images-of-site = only the images of this site may be used: { $images }
fault-root = jobs may not run as root here
fault-root-guests = guests' jobs may not run as root here
fault-not-member = { $user } is in no project { $project }

## A new job: what it asks for.

fault-cores = expected { $least } to { $most } cores, got { $got }
fault-memory = expected { $least } to { $most } GB, got { $got }
fault-seconds = expected whole seconds
fault-lifespan = expected a number of seconds, or a span like 90s, 30m, 12h, 2d or 1w
fault-lifespan-kind = expected a number of seconds or a text like 2d, got { $got }
fault-lifespan-range = must be between a second and a hundred years
fault-tmp-object = expected an object with a size, got { $got }
fault-tmp-size = expected a size like 500M or 10g
fault-tmp-path = expected a path in the container like /scratch, outside of /mnt and the system's
fault-tmp-memory = it is in memory, and the job asks for { $ram } GB of that: ask for more ram, or less of this
fault-uris = the executor here cannot fetch files before a job starts
fault-array-object = expected an object with the key values, got { $got }
fault-array-form = expected last, first:last or first:last:step, with an optional %n for at most n at once
fault-array-step = the step must be at least 1
fault-array-order = the first index { $first } lies beyond the last, { $last }
fault-array-throttle = after % comes how many may run at once, at least 1
fault-array-size = an array may have { $most } jobs here, this one has { $count }
fault-dependency = expected a job's number, alone or with :ok, :failed or :any
fault-dependency-well = job { $job } can no longer end well: it ended as { $ending }
fault-dependency-badly = job { $job } can no longer end badly: it ended as { $ending }
fault-job-unseen = there is no job { $job } that you may see
fault-label = expected a label as name==value
fault-label-none = there is no label { $label } here: this site has none
fault-label-unknown = there is no label { $label } here, but { $offered }
fault-port = expected a port from 1 to 65535
fault-port-twice = port { $port } is asked for twice

## A new job: its volumes.

fault-volume-object = expected an object with name and acl, got { $got }
fault-volume-name = expected the name of a volume
fault-volume-twice = this volume is asked for twice
fault-volume-none = there is no volume { $name } for you here: there are none
fault-volume-unknown = there is no volume { $name } for you here, but { $offered }
fault-volume-read-only = the volume { $name } is read only
fault-volume-directory = the directory of the volume { $name } does not exist
fault-volume-no-path = this volume has no path in the configuration
fault-no-home = { $user } has no home directory here

## A new job: what executors and nodes can do.

fault-executor-unknown = there is no executor { $executor } here, but { $offered }
fault-executor-root = the executor { $executor } cannot run jobs as root
fault-executor-ports = the executor { $executor } cannot open ports
fault-executor-tmp = the executor { $executor } cannot provide temporary storage
fault-executor-volumes = the executor { $executor } cannot grant volumes, as it runs jobs on the host itself
fault-executor-pause = the executor { $executor } can neither suspend nor resume jobs
fault-guests-contained = guests' jobs run in containers only, and the executor { $executor } has none
fault-nodes-cores = none of the nodes has more than { $most } cores
fault-nodes-memory = none of the nodes has more than { $most } GB
fault-nodes-no-gpu = none of the nodes has one
fault-nodes-gpus = none of the nodes has more than { $most }
fault-nodes-labels = none of the nodes is labelled { $labels }
fault-nodes-together = none of the nodes has all of { $wants } with the labels asked for
fault-resources = { $cpu } cpu, { $ram } GB
fault-resources-gpus = { $cpu } cpu, { $ram } GB, { $gpus } gpu

## Submitting: for whom, and how many.

fault-on-behalf = only administrators may submit jobs for another user
fault-no-active-user = there is no active user { $user }
fault-rate-own = you have { $pending } pending jobs of { $limit } allowed: { $left } more may be submitted, and this would be { $new }
fault-rate-all = all users together have { $pending } pending jobs of { $limit } allowed: { $left } more may be submitted, and this would be { $new }
fault-maintenance = GoDocker is under maintenance: new jobs are not taken for now.

## What is asked of a job.

phase-over = over
phase-archived = archived
done-killed = killed
done-suspended = suspended
done-resumed = resumed
done-rescheduled = rescheduled
done-archived = archived
done-deleted = deleted
fault-job-phase = job { $job } is { $phase }: only a job that is { $only } can be { $done }
fault-job-changed = job { $job } cannot be { $done } any more: it has just changed
fault-job-being-killed = job { $job } is being killed and cannot be { $done }
fault-job-suspended = job { $job } is suspended already
fault-job-not-suspended = job { $job } is not suspended
fault-job-deleted = job { $job } has just been deleted
fault-array-none-now = none of the jobs of array { $job } can be { $done } now
fault-purge = only its owner and administrators may delete job { $job } with its record
fault-jobs-at-once = expected from 1 to { $most } jobs at once
fault-job-ids = expected a list of the ids of jobs
fault-job-ids-most = expected a list of 1 to { $most } ids of jobs
fault-job-id-needed = expected the id of a job
fault-tags = expected a list of tags
fault-tags-none = expected tags to add or to remove
fault-tags-many = job { $job } would have more than { $most } tags
fault-array-tags = job { $job } has the tags of its array: tag job { $parent }
fault-requirement = expected the name of a requirement
fault-requirement-unknown = { $name } cannot be changed here; what can be: { $offered }
fault-requirement-reserved = only administrators may change { $name }
fault-requirement-fixed = this requirement is fixed once a job is accepted
fault-not-active = only an active job can be changed
fault-job-keeps-changing = job { $job } keeps changing: try again

## Templates.

fault-template-name = expected from 1 to { $most } characters on one line
fault-template-document = expected a job as POST /task takes it
fault-template-bytes = expected at most { $most } bytes
fault-template-taken = there is a template named { $name } already, or there are { $most }: delete one first
fault-document-or-job = expected a document, or else a job

## Lists, and reports of use.

fault-search-words = expected words of a name: letters and digits
fault-not-beside-node = cannot be combined with node
fault-cursor = expected a cursor as an earlier answer had it
fault-cursors = expected after or before, not both
fault-limit = expected a number from 1 to { $most }
fault-moment = expected a day like 2026-11-23, or Unix seconds
fault-order = expected submitted, ended or run_time, or -submitted..
fault-day = expected a day like 2026-11-23
fault-period = expected a day before the last, at most { $most } days
fault-others-jobs = only administrators see other people's jobs, but in projects whose members share theirs
fault-others-use = only administrators see what others use
fault-project-use = only administrators see what others use, and members what their project uses

## Accounts.

fault-email = expected an address like ann@lab.example
fault-zone = expected the name of a time zone like Europe/Paris, or nothing for the browser's own
fault-saved-lists = expected at most { $most } lists, each a query under a name of its own of at most { $longest } characters
fault-public-keys = expected OpenSSH public keys, one a line like ssh-ed25519 AAAA... name
fault-own-size = expected bytes, a size like 500M, 10G or 2T, or nothing for what the site gives everyone
fault-reserved = only administrators may change priorities, quotas, rights and whether an account is active
fault-guest-admin = a guest cannot be an administrator
fault-directory-email = this account's address comes from the directory: change it there
fault-last-administrator = { $user } is the last administrator
fault-delete-self = nobody deletes the account that is logged in
fault-meanwhile = it was changed by somebody else meanwhile: look again
fault-no-password = this account has no password here
fault-old-password = this is not the password as it is now
fault-password-short = expected at least { $least } characters
fault-token-name = expected what it is for, in at most { $most } characters
fault-token-days = expected from 1 to { $most } days, or nothing for a token that does not expire
fault-tokens-many = there are { $most } tokens already: delete one first
fault-names-taken = every name like { $name } is taken here

## Projects.

fault-user-needed = expected a user's id
fault-members = expected a list of at most { $most } user ids
fault-project-exists = there is a project { $project } already
fault-project-active = { $count } jobs of { $project } run or wait: kill them, or let them end, first
fault-default-stays = the default project always exists
fault-default-members = everyone is in the default project
fault-default-quota = the default project has no quota
fault-default-volumes = everyone is in the default project: use the site's volumes in go-d.ini
fault-volumes = expected a list of at most { $most } volumes
fault-volume-own-name = expected a name of its own: letters, digits, - _ and . (not home, not go-docker)
fault-absolute-path = expected an absolute path without . or ..
fault-mount-ours = expected a place that is not GoDocker's own: not /mnt/go-docker, /mnt/home, /mnt/god-data
fault-mount-twice = expected a place of its own

## Logging in, and who may do what.

fault-unauthorized = log in first: no valid token or session came with the request
fault-login-denied = wrong user name, password or key
fault-login-unavailable = logins cannot be checked at the moment: try again later
fault-login-too-many = too many failed logins: wait a minute and try again
fault-login-name = the directory's login cannot be used here: { $why }
fault-login-incomplete = the directory lacks what jobs need to run as you: ask an administrator
fault-login-again = this login met another change: try again
fault-login-stale = this login was not begun here, or too long ago: begin again
fault-provider-refused = the provider did not let you in
fault-provider-untrusted = the provider's answer cannot be trusted: begin again
fault-proxy-stranger = the proxy says that you are { $name }, who has no account that may come in here
fault-account-disabled = this account is disabled
fault-session = the session could not be written
fault-token-scope = this token may not do this: its scope is { $scope }, needed is { $needed }
fault-not-activated = an administrator has to activate this account first: until then one can only look
fault-administrators-only = only administrators may do this
fault-metrics = metrics_allow does not have this address
fault-form-expired = the form has expired: go back, reload the page and send it again

## The request as a whole.

fault-not-found = there is no { $what } here that you may see
fault-not-understood = this request is not understood: { $why }
fault-part-not-understood = the { $part } of the request is not understood: { $why }
fault-body-large = the body is larger than { $most } bytes
fault-form-not-understood = the form is not understood: { $why }
fault-form-cut = the form was not sent whole: { $why }
fault-form-large = the form is larger than { $most } bytes
fault-unavailable = the service is not available right now
fault-internal = something went wrong here; the log says what
fault-database-full = the database's disk is full: nothing was stored, free some space and try again
fault-disk-full = the disk under the shared directory is full

## Files.

fault-file-not-found = no such file or directory
fault-file-outside = that path leads out of the directory
fault-file-not-a-file = not a regular file
fault-file-directory = it is a directory
fault-file-exists = something of that name is there already
fault-file-not-empty = the directory is not empty
fault-file-anothers = a directory of uid { $uid } is there already, and not this job's
fault-file-size = the file has { $size } bytes now: go on from there, or send it anew
fault-file-over-quota = it does not fit: { $quota } bytes may be kept, and { $used } are used
fault-file-cut = the file was not sent whole: { $why }
fault-file-large = { $path } has { $size } bytes, and at most { $most } may be downloaded here
fault-directory-large = the directory has { $size } bytes, and at most { $most } may be downloaded here
fault-archives-many = { $count } archives are being downloaded already: try again in a minute
fault-path-nul = a path holds no NUL
fault-path-absolute = the path must be relative to the directory
fault-path-empty-name = a path holds no empty names
fault-path-too-long = the path is too long
fault-path-top = expected a file or directory in the space
fault-path-control = a name holds no control characters
fault-path-slash = a folder's name holds no /
fault-path-guest-home = a guest's directory has a name and a place
fault-data-verb = expected ?dir=1 to make a directory, or ?from=PATH to move

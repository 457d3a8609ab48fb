### The form of a new job.

new-title = New job
new-begin = Begin from
new-empty-form = the empty form
new-begin-go = Fill in
new-name = Name
new-image = Image
new-script = Script
new-script-note = Its first line says which shell runs it.
new-cores = Cores
new-memory = Memory, GB
new-gpus = GPUs
new-time = Run time
new-disk = Job files
new-limit = Time limit
new-limit-none = 30m, 12h, 2d
new-more = More: project, array, dependencies, volumes, ports, tags
new-project = Project
new-array = Array
new-wait-for = Wait for jobs
new-labels = Labels
new-ports = Ports
new-retries = Retries if a node fails
new-tmp = Temporary storage
new-executor = Executor
new-any-executor = the first that can
new-tags = Tags
new-description = Description
new-volumes = Volumes
new-not-mounted = not mounted
new-read-only = read only
new-read-write = read and write
new-network = Network
new-root = Root in the container
new-mail = Mail when it ends
new-keep-as = Keep this as a template named
new-keep = Keep
new-kept = Kept as the template { $name }.
new-submit = Submit
new-check = Check first
new-refused = { $count ->
    [one] It was not submitted: one thing needs a change.
   *[other] It was not submitted: { $count } things need a change.
}
new-faults = { $count ->
    [one] One thing needs a change.
   *[other] { $count } things need a change.
}
new-outlook = When it could start
new-outlook-none = Fill in the form, then check it: what is wrong, what a shell says of the script, and when the job could start.
new-starts = It would start at once.
new-some-start = { $starts } of its { $jobs } jobs would start at once.
new-waits = It would have to wait.
new-rejected = It would be rejected.
new-nobody-knows = No scheduler answers at the moment; it would be kept until one does.
new-script-well = A shell can read the script.
new-script-faults = { $count ->
    [one] A shell cannot read this line of the script. It can be submitted all the same.
   *[other] A shell cannot read these lines of the script. It can be submitted all the same.
}
new-line = Line { $number }
new-free = Free now
new-free-of = { $free } of { $total } free
new-largest = At most for one job: { $room } on { $node }.
new-nothing-free = No node has anything free.
new-away = It does not answer: { $why }
new-your-quota = Your quota
new-project-quota = Quota of { $project }
new-left-of = { $left } of { $total } left
new-json = As JSON

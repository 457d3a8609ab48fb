### Jobs, their states and why they wait.

word-instant = under 0.01 s
word-resources = { $count ->
    [one] { $cores } core
   *[other] { $cores } cores
}, { $ram } GB
word-gpus = { $count ->
    [one] 1 GPU
   *[other] { $count } GPUs
}
word-ends-well = ends well
word-fails = fails
word-ends-at-all = ends in any way
word-quota-time = time
word-quota-cpu = cpu
word-quota-ram = ram
word-quota-gpu = gpu
word-quota-disk = disk
state-pending = pending
state-starting = starting
state-running = running
state-suspended = suspended
ending-done = done
ending-killed = killed
ending-failed = failed
ending-out-of-memory = out of memory
ending-time-limit = time limit
ending-node-failure = node failure
ending-rejected = rejected
now-array-waits = Its jobs have not started yet.
now-waits = It waits for its turn.
now-starting = It is being started on { $node }.
now-suspended = It stands still on { $node }.
now-array-runs = { $over } of its { $children } jobs are over.
now-runs = It runs on { $node }.
now-archived = Its files were deleted; this is its record.
ended-failed = Its script ended with exit code { $code }.
ended-failed-somehow = It failed, and how is not known.
ended-done = It ended well.
ended-killed = It was killed.
ended-out-of-memory = It needed more memory than it had asked for.
ended-time-limit = It ran longer than its time limit allows.
ended-node-failure = Its node failed, and it had no launches left.
ended-quota = A quota does not allow it.
ended-impossible = No node could ever run it.
ended-array = { $failed } of its { $children } jobs did not end well.
ended-dependency = A job it waited for did not end as it had to.
ended-out-of-memory-asked = It used more than the { $ram } GB it asked for.
ended-killed-waiting = It was killed before it started.
ended-quota-user = It would go beyond its owner’s { $quota } quota.
ended-quota-project = It would go beyond the project’s { $quota } quota.
ended-dependency-other = It waited for job { $job } ({ $wanted }), whose end was another: { $ending }.
ended-dependency-gone = It waited for job { $job } ({ $wanted }), which was deleted.
asked-kill = It was asked to end.
asked-suspend = It was asked to stand still.
asked-resume = It was asked to go on.
asked-reschedule = It is being put back in the queue.
asked-archive = Its files are being deleted.
asked-purge = It is being deleted.
waiting-place = It is number { $position } in the queue.
waiting-place-and-time = It is number { $position } in the queue, and may start in about { $time }.
reason-not-considered = It has just arrived and will be looked at in a moment.
reason-queue = Jobs ahead of it in the queue take what is free.
reason-capacity = No node has { $needs } free at the moment.
reason-held-for = Room is being kept for job { $job }, which has waited longer.
reason-dependency = It waits for jobs: { $jobs }.
reason-array-throttle = Its array runs at most { $limit } jobs at once, and they are running.
reason-labels = No node labelled { $labels } is available.
reason-drained = What could run it takes no new jobs for now: { $nodes }.
reason-quota-disk = Its owner’s job files fill the disk quota: archive jobs that are over to make room.
reason-quota-user = Its owner has used up the { $quota } quota; it starts when earlier use no longer counts.
reason-quota-project = The project has used up its { $quota } quota; it starts when earlier use no longer counts.
reason-maintenance = GoDocker is under maintenance and starts nothing for now.
reason-account-disabled = The account of its owner is disabled.
reason-not-member = Its owner is not a member of the project { $project } any more.
reason-executor-away = The executor { $executor } does not answer ({ $message }); the job will start when it does.
reason-array-children = Its array jobs have not started yet.
reason-retry = A node failed under it; it will be launched again (launch { $launch }).

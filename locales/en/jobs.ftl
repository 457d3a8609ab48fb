### Lists of jobs.

jobs-title = Jobs
jobs-which = Which jobs
jobs-active = Active
jobs-over = Over
jobs-any = All
jobs-disk = Disk space
jobs-whose = Whose jobs
jobs-mine = Only mine
jobs-of-project = Project { $project }
jobs-everyone = All users
jobs-text = Words of the name
jobs-find = Search
jobs-filters = Filters and order
jobs-state = State
jobs-state-over = over
jobs-state-archived = archived
jobs-state-unsuccessful = did not end well
jobs-project = Project
jobs-all-projects = All projects
jobs-tag = Tag
jobs-image = Image
jobs-user = User
jobs-user-hint = * is everyone
jobs-submitted = Submitted
jobs-ended = Ended
jobs-from = from
jobs-until = to
jobs-order = Order
jobs-order-newest = Last submitted first
jobs-order-oldest = First submitted first
jobs-order-ended = Last ended first
jobs-order-ended-first = First ended first
jobs-order-longest = Longest first
jobs-order-shortest = Shortest first
jobs-size = Jobs a page
jobs-apply = Show
jobs-clear = Back to all active jobs
jobs-node = Node
jobs-narrowed = What this list is narrowed to
jobs-without = Without { $what }
jobs-chip-text = name: { $value }
jobs-chip-user = user: { $value }
jobs-chip-project = project: { $value }
jobs-chip-tag = tag: { $value }
jobs-chip-image = image: { $value }
jobs-chip-depends-on = depends on: { $value }
jobs-chip-node = node: { $value }
jobs-chip-from = submitted from { $value }
jobs-chip-until = submitted until { $value }
jobs-chip-ended-from = ended from { $value }
jobs-chip-ended-until = ended until { $value }
jobs-keep = Keep this list
jobs-keep-name = Name
jobs-keep-go = Keep
jobs-forget = Forget “{ $name }”
jobs-fault-state = There is no such state.
jobs-fault-user = This is no user’s name.
jobs-fault-project = This is no project’s name.
jobs-fault-text = Names are searched by their words: type letters or digits.
jobs-fault-day = A day is written like 2026-11-23.
jobs-fault-other = This order or number of jobs does not exist.
jobs-job = Job
jobs-cores = Cores
jobs-ram = GB
jobs-date = When
jobs-time = Run time
jobs-array = { $over } of { $children } over
jobs-array-failed = { $over } of { $children } over, { $failed } not well
jobs-exit = exit { $code }
jobs-child = Index { $index }
jobs-children = All { $count } jobs of this array
jobs-tick-all = Tick all on this page
jobs-tick = Job { $id }
jobs-ticked = { $count ->
    [one] 1 job ticked
   *[other] { $count } jobs ticked
}
jobs-with-ticked = With the ticked jobs
jobs-kill = Kill
jobs-archive = Archive
jobs-tag-add = Add tag
jobs-tag-remove = Remove tag
jobs-confirm-kill = Kill the ticked jobs? They cannot go on afterwards.
jobs-confirm-archive = Archive the ticked jobs? Their files are deleted; their records stay.
jobs-did-kill = { $count ->
    [0] No job was asked to end.
    [one] 1 job was asked to end.
   *[other] { $count } jobs were asked to end.
}
jobs-did-archive = { $count ->
    [0] No job is being archived.
    [one] The files of 1 job are being deleted.
   *[other] The files of { $count } jobs are being deleted.
}
jobs-did-tag = { $count ->
    [0] No job was tagged.
    [one] 1 job was tagged.
   *[other] { $count } jobs were tagged.
}
jobs-did-untag = { $count ->
    [0] No tag was removed.
    [one] The tag was removed from 1 job.
   *[other] The tag was removed from { $count } jobs.
}
jobs-did-not = { $count ->
    [one] 1 of the ticked is in no state for it.
   *[other] { $count } of the ticked are in no state for it.
}
jobs-did-save = The list is kept: it is among those above.
jobs-did-forget = The list is forgotten. Its jobs are as they were.
jobs-did-nothing = Nothing was done: tick some jobs first, and type the tag if it is one.
jobs-none = You have no jobs yet.
jobs-first = Submit your first job
jobs-none-active = Nothing runs or waits.
jobs-submit = Submit a job
jobs-see-over = Look at those that are over
jobs-none-over = No job has ended yet.
jobs-none-here = There are no jobs this far down.
jobs-first-page = To the first page
jobs-no-match = No job is like that.
jobs-no-match-any = Look among jobs in any state
jobs-no-match-clear = Show all jobs
jobs-none-yet = Nothing found so far; there are more jobs to look through.
jobs-look-on = Look on
jobs-before = Before
jobs-after = After
jobs-pages = Pages
jobs-found = { $count ->
    [one] 1 job
   *[other] { $count } jobs
}
jobs-loading = Loading

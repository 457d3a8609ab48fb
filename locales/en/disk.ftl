### What uses the reader's space.

disk-title = Disk space
disk-used-of = Your job files take { $used } of { $quota }.
disk-used = Your job files take { $used }. You have no quota.
disk-exceeded = No job of yours starts until they take less.
disk-empty = No job that is over has files here.
disk-what = What uses it, the largest first. Archiving a job deletes its files and keeps its record.
disk-job = Job
disk-size = Size
disk-share = Of all
disk-ended = Ended
disk-tick = Job { $job }
disk-little = under 1 %
disk-archive = Archive the ticked
disk-archive-sure = Archive the ticked jobs? Their files are deleted; their records stay.
disk-more = and { $count } smaller ones, of { $jobs } in all

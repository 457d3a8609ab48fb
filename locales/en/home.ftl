### The start page.

home-title = Hello { $user }
home-now = Now
home-run = { $count ->
    [0] Nothing runs.
    [one] 1 job runs.
   *[other] { $count } jobs run.
}
home-wait = { $count ->
    [0] Nothing waits.
    [one] 1 job waits.
   *[other] { $count } jobs wait.
}
home-submitted = submitted
home-ran = for { $span }
home-idle = Nothing runs or waits.
home-all-active = All that run or wait
home-results = Last results
home-no-results = No job has ended yet.
home-all-results = All results
home-allowed = What you may use
home-time = Run time
home-cpu = Cores
home-ram = Memory
home-gpu = GPUs
home-disk = Job files
home-upload = Uploads
home-gb = { $count } GB
home-of = { $used } of { $quota }
home-no-quota = { $used }, no quota
home-used-up = Used up
home-full-time = Jobs wait until earlier use no longer counts.
home-full-disk = Jobs wait until their files take less: archive jobs that are over to make room.
home-full-upload = Nothing more can be uploaded: delete files to make room.
home-window = { $days ->
    [one] Run time, cores and memory are summed over the jobs of one day.
   *[other] Run time, cores and memory are summed over the jobs of the last { $days } days.
}
home-share = Fair share
home-share-none = Nobody has used anything yet.
home-share-text = { $users ->
    [one] You used { $part } % of all run time; nobody else used any. An even share is { $even } %.
   *[other] You used { $part } % of all run time, of { $users } users. An even share is { $even } %.
}
home-share-less = You used less than an even share, so your jobs come early. Your priority is { $priority } of 100.
home-share-more = You used more than an even share, so jobs of others come first. Your priority is { $priority } of 100.
home-share-fifo = Jobs start in the order in which they came, whatever was used before.
home-new-title = Your account waits to be activated
home-new-what = An administrator has to activate your account before you can submit jobs. They have been told. Until then you can look around, and set your mail address and language.
home-new-profile = To your profile
home-first-title = Welcome. What to do first
home-first-data = Upload your data
home-first-data-what = Every job finds it in /mnt/god-data. Skip this if your data is on the site’s volumes already.
home-first-job = Submit a first job
home-first-job-what = An image and a script are enough. Try “echo hello”: it takes a second.
home-first-key = Make an API key
home-first-key-what = For the command line: god login, then god job submit.

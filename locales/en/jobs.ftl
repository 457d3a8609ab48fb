### Lists of jobs.


### Around every page, and what errors say.

base-skip = Skip to the content
base-nav = Main
base-jobs = Jobs
base-new = New job
base-data = Data
base-admin = Administration
base-log-out = Log out
error-home = To the start page
error-not-found = Not found
error-not-found-hint = The address may be mistyped, or what was here is gone, or it is not yours to see.
error-forbidden = Not allowed
error-forbidden-hint = Your account may not do this. An administrator can tell you why.
error-conflict = Not now
error-conflict-hint = Things have changed since the page was shown. Look again, then try once more.
error-too-many = Too many
error-too-many-hint = Wait a little, then try again.
error-unavailable = Not now
error-unavailable-hint = Nothing is lost. Running jobs go on. Try again later.
error-broken = Something went wrong
error-broken-hint = The fault is on this side and has been written down for the administrators.
error-bad = That did not work
error-bad-hint = Go back, change what is named above, and send it again.
base-table = The same as a table

### The login page.

login-title = Log in
login-user = User name
login-password = Password
login-go = Log in
login-guests = Without an account here, come in as a guest:
login-welcome = Compute on this site’s machines: submit a job, watch it run, fetch its results.

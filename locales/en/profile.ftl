### The profile.


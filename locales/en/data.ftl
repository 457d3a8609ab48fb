### The upload space.


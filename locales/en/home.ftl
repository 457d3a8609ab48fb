### The start page.


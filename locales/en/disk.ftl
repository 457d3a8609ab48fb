### What uses the disk.


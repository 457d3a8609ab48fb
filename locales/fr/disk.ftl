### Ce qui occupe le disque.


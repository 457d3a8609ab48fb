"""What Python 2 did, for a client that was written for it.

godocker_CLI 1.0.25 hands bytes to json (`godjob create --script`) and to its table printer (`godjob show`). Python 2
took them for text; Python 3 refuses. The client itself stays as published: this file is put beside it on PYTHONPATH.
"""
import json

_default = json.JSONEncoder.default


def _bytes_are_text(self, value):
    return value.decode("utf-8") if isinstance(value, bytes) else _default(self, value)


json.JSONEncoder.default = _bytes_are_text

try:
    from terminaltables import SingleTable
except ImportError:
    pass
else:
    _init = SingleTable.__init__

    def _text_cells(self, table_data, title=None):
        rows = [[cell.decode("utf-8") if isinstance(cell, bytes) else cell for cell in row] for row in table_data]
        _init(self, rows, title)

    SingleTable.__init__ = _text_cells

"""Write the pages that are made from reports."""

from __future__ import annotations

from experiments.ledger.pages import written

if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(path)

"""The ledger of how right macprof is, and what it is compared with: pages of docs/ made from report files.

python -m experiments.ledger writes docs/ledger.md and docs/compared.md anew.
"""

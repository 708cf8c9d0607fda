"""The command line as ``python -m bnnkg``, which is how ``torchrun -m bnnkg`` starts it."""

from bnnkg.cli import main

main()

"""`python -m connectome.cli` is `connectome`."""

from connectome.cli.main import main

if __name__ == "__main__":
    main()

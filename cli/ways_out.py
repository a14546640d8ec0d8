"""The options that help with an error. The library says what is wrong and where, and names no options."""

from __future__ import annotations

from connectome.errors import ConnectomeError
from connectome.pipeline.request import OPTIONS

WAYS_OUT = {
    "run": "use another --name, or --restart to build it anew",
    "folder": "use another --name or --data-folder, or --restart to replace it",
    "data_folder": "choose another --data-folder",
    "other_data_folder": "give the --data-folder that it is in, or move it away",
    "restart": "bring it back, or build it again with --restart",
    "grey values": "--normalisation none",
    "image": "use --image URL --segmentation URL, or --config",
    "voxel": "give it in nm as --resolution z,y,x, e.g. --resolution 30,12,12",
    "place": "give its place in nm as --resolution z,y,x and --offset z,y,x",
    "overlap": "correct one, or build what both have with --overlap",
    "any_grid": "train a model on such a volume (connectome train) and give it as --detector, or build with --any-grid",
    "dataset": "choose one with --dataset PATH",
    "channel": "choose one with --channel N, from 0",
    "axes": "say what its axes are with --axes, e.g. --axes zyx",
    "gaps": "--gaps blank puts blank sections in their place, --gaps close takes the files that are there",
    "sections": "give a pattern such as 'dir/sec_*.tif', or take all files in natural order with --gaps close",
    "training_data": "use --data FOLDER or [[data]]",
    "checkpoint_place": "use --output FILE or output = ...",
    "nothing_to_resume": "leave --resume out to begin",
    "finished_training": "give another --output to train another, or --restart to train it anew",
    "training_state": "begin anew with --restart",
    "other_training": "give the options it was begun with to go on, another --output, or --restart to forget it",
    "diverged_training": "--learning-rate, --restart",
    "unpaired": "add them there, mark their voxels as ignored (18446744073709551614), or pass them over with "
    "--unpaired allow",
    "workers": "give --workers for local processes, or --scheduler for those of a cluster",
    "scheduler": "check --scheduler",
    "polyadic": "add --polyadic, or leave it out",
    "label": "choose the columns with --label COLUMN=LABEL",
    "columns": "choose other --columns",
    "partners": "give --partners FILE with them",
    "box_nm": "leave out --box-nm",
    "root_edges": "the database's owner makes them with connectome query edges --run RUN --roots VERSION",
    "database": "connectome build volume makes one, or give --data-folder or --database-url",
    "database_url": "check --database-url or CONNECTOME_DATABASE_URL, or leave both out to use the embedded server",
    "unfinished": "the same `connectome build volume` command, with its --name, finishes it",
    "taken_name": "choose another --name, or delete that run first (connectome runs delete)",
    "timeout": "ask for less, or give a longer --timeout",
    "param": "give it as --param NAME=VALUE",
    "ready_query": "connectome sql --list shows what each asks",
    "chains": "--chains join takes A to C where A belongs to B and B to C, --chains keep leaves every row as it is",
    "repeated": "--repeated first, last or drop",
    "unit": "give it in nm as --unit z,y,x, e.g. --unit 40,4,4",
    "column": "--column THEIRS=OURS names another, or choose another --from",
    "edge_column": "--column THEIRS=OURS names another; --matrix if it is one",
    "data_set": "--data-set NAME or --run NAME chooses one",
    "store": "leave out --store, and build with --confidence",
}


def with_way_out(error: ConnectomeError) -> str:
    """An error's message as one line, with the options that help."""
    message = " ".join(str(error).split())
    if error.about in WAYS_OUT:
        return f"{message}: {WAYS_OUT[error.about]}"
    known = {option.key: option.flag for option in OPTIONS.values()}
    return f"{message} ({known[error.about]})" if error.about in known else message

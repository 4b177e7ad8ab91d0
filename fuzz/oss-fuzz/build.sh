#!/bin/bash -eu
# One fuzz target for each harness of `watosfs-fuzz parsers --list`, with its seeds and dictionary.
pip3 install .

targets=$(mktemp -d)
python3 -m watosfs_fuzz.parsers.oss_fuzz "$targets" tests/corpora

for target in "$targets"/fuzz_*.py; do
    # The catalogue is imported at run time, where Atheris instruments it: PyInstaller must be told.
    compile_python_fuzzer "$target" \
        --collect-submodules watosfs \
        --collect-submodules watosfs_fuzz.parsers \
        --collect-submodules watosfs_model \
        --hidden-import zstandard
done
cp "$targets"/*.dict "$targets"/*_seed_corpus.zip "$OUT/"

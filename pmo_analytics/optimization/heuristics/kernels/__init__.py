"""Kernels: the inner loops of the searches over flat arrays, compiled by numba.

Modules with kernels load numba, half a second; whoever needs them imports them inside a
function. `arrays` needs numpy alone.
"""

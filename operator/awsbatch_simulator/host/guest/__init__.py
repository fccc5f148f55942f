"""The commands of a host that answer: packages, units, disks, containers, kernel, cloud-init.

They run in the first process of a boot, as plain functions over a root directory and what is known
of the machine: nothing is installed, formatted, mounted or pulled, but the state that a script sees
changes as it would. Standard library only, as all of the program `bootstrap.py`.
"""

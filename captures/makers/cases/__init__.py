"""The cases, one module a group. Importing a module registers its cases."""

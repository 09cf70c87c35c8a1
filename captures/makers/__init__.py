"""The laboratory: namespaces, a private PKI, real stacks, scripted peers. See README.md."""

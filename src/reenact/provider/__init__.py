"""The scripted provider: a stand-in for a model whose answer is a pure function of the request, with faults on demand.

It ships (`reenact provider`) because no test of an agent should need a real provider.
"""

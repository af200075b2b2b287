"""Pages and documents of what the pipeline found: one file each, readable without a network.

``template`` fills the templates in ``templates/``, whose plots are drawn from the geometry that
``plots`` works out; ``file`` writes pages, and says which of them may be replaced.
"""

"""TFLite by way of official converters: asked for with ``--via``, or where our compiler stops."""

"""Static files as production serves them: under names that change with what is in them, kept by browsers for good."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Gives the modules that a module imports their hashed names too, so that none is an old one from a cache."""

    support_js_module_import_aggregation = True

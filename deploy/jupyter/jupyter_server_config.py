"""What each learner's server knows of Voila: our template and nothing that is fetched from elsewhere.

It stands in the configuration of the server: Voila inside a server does not read its own before it takes a template.
"""

from minichain.views.server import EXTENSIONS, prepare_page

c = get_config()  # noqa: F821 - Jupyter gives it

c.VoilaConfiguration.template = "minichain"
c.VoilaConfiguration.prelaunch_hook = prepare_page
c.VoilaConfiguration.extension_allowlist = EXTENSIONS
c.VoilaConfiguration.http_header_envs = ["Accept-Language"]
c.VoilaConfiguration.show_tracebacks = False
c.ServerApp.root_dir = "."
c.ServerApp.tornado_settings = {"mathjax_url": ""}  # Voila would name a server of others for formulas; we have none
c.MappingKernelManager.cull_idle_timeout = 3_600  # seconds: of a page that was closed, or a lesson left for good
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"

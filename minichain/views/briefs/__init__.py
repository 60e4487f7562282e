"""What each app tells the frame about itself: one module an app, each with a function that makes its `Case`.

Nothing here is a widget, and no figure is made here that the page does not know.
"""

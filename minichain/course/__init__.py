"""The course: lessons in the language and edition that somebody needs, answers checked, a class that learns together.

from minichain.course import check, predict, progress, reveal
"""

from minichain.course.checkup import doctor
from minichain.course.desk import Outcome, check, own_wallet, predict, reveal
from minichain.course.progress import progress

__all__ = ["Outcome", "check", "doctor", "own_wallet", "predict", "progress", "reveal"]

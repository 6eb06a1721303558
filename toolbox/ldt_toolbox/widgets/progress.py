"""A progress bar for steps that tell the share done."""

from collections.abc import Callable


def progress_bar(text: str) -> Callable[[float], None]:
    """Show a bar, in a notebook as a widget and in a terminal as text.

    Parameters
    ----------
    text : str
        What is going on.

    Returns
    -------
    callable
        Takes the share done, 0 to 1; at 1 the bar is closed.
    """
    from tqdm.auto import tqdm

    bar = tqdm(total=100, desc=text, bar_format="{l_bar}{bar}")

    def tell(share: float) -> None:
        bar.update(round(100 * share) - bar.n)
        if share >= 1:
            bar.close()

    return tell

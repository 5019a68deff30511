"""Makes numbers with right check digits out of their parts, in a way of its own: by trying all ends."""

FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


def rest(text: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=True)) % 11


def with_check_digits(nine: str, first_rest: int = 0) -> str | None:
    """The nine digits and both check digits, the first so that its sum leaves `first_rest`; None if there is none."""
    ends = (f"{nine}{end:02}" for end in range(100))
    return next((each for each in ends if rest(each[:10], FIRST) == first_rest and rest(each, SECOND) == 0), None)


def issued(day: int, month: int, year: int, first_rest: int = 0) -> str:
    """The first number of this date that can be handed out; day and month as written, with what is added to them."""
    tries = (with_check_digits(f"{day:02}{month:02}{year:02}{each:03}", first_rest) for each in range(100, 200))
    return next(each for each in tries if each is not None)


def help_number(eight: int = 12345678) -> str:
    """A common help number: no date, only check digits."""
    tries = (with_check_digits(f"8{eight + each:08}") for each in range(100))
    return next(each for each in tries if each is not None)


def organisation(seven: str, first: str) -> str:
    """The first organisation number that begins so and can be handed out."""
    weights = (3, 2, 7, 6, 5, 4, 3, 2, 1)
    tries = (f"{first}{int(seven) + each:07}{last}" for each in range(10) for last in range(10))
    return next(each for each in tries if rest(each, weights) == 0)

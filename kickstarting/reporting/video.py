"""Videos of an agent at work: what it sees, what it and its teacher would do."""

import functools
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence

import imageio
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kickstarting.environments import base

# A frame is enlarged by a whole factor to about this height (5x for 72 lines).
_GAME_HEIGHT = 360
_PANEL_WIDTH = 360
_CAPTION_HEIGHT = 36
_LEGEND_HEIGHT = 32
_MARGIN = 12
_NAME_WIDTH = 152
_VALUE_WIDTH = 40
_SMALLEST_ACTION_HEIGHT = 14
_LARGEST_ACTION_HEIGHT = 40
_SMALLEST_TEXT = 10

_BACKGROUND = (22, 24, 29)
_CHOSEN_BACKGROUND = (46, 51, 62)
_TRACK = (38, 42, 50)
_TEXT = (226, 229, 235)
_DIM_TEXT = (150, 156, 168)
_STUDENT = (79, 160, 240)
_TEACHER = (245, 166, 70)

# Of a cell.
_WRITTEN_CODES = 3
# Colours of category codes, one after another and then again.
_GRID_COLOURS = np.array(
    (
        (16, 17, 20), (44, 48, 56), (112, 118, 130), (78, 121, 167),
        (242, 142, 43), (237, 201, 72), (89, 161, 79), (176, 122, 161),
        (118, 183, 178), (225, 87, 89), (255, 157, 167), (156, 117, 95),
        (186, 176, 172), (140, 209, 125), (134, 188, 182), (211, 114, 149),
    ),
    np.uint8,
)  # fmt: skip


class VideoError(ValueError):
    """A video that cannot be written as asked; its message is one line."""


def write_video(
    path: str | os.PathLike[str],
    frames: Iterable[np.ndarray],
    frames_per_second: float,
) -> None:
    """Writes an H.264 .mp4 or a .gif that plays for ever.

    Args:
      path: of the file; its ending chooses the format.
      frames: uint8 [N, H, W, 3], or an iterator of frames uint8 [H, W, 3], which is
        never held as a whole. An odd height or width of an .mp4 is padded by a line.
      frames_per_second: of the video. A .gif counts in hundredths of a second,
        and shows equal neighbours as one frame that lasts longer.

    Raises:
      VideoError: the format is unknown, there are no frames, or they are not of one
        shape.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in (".mp4", ".gif"):
        raise VideoError(f"cannot write {path}: name a file that ends in .mp4 or .gif")
    checked = _checked(frames)
    first = next(checked, None)
    if first is None:
        raise VideoError(f"cannot write {path}: there are no frames")
    if suffix == ".gif":
        _palette_image(first).save(
            path,
            save_all=True,
            append_images=map(_palette_image, checked),
            duration=1000 / frames_per_second,
            loop=0,
        )
        return
    # Else imageio runs Python code between fork and exec to shield ffmpeg from Ctrl-C,
    # which may deadlock beside the threads of JAX.
    os.environ.setdefault("IMAGEIO_FFMPEG_NO_PREVENT_SIGINT", "1")
    with imageio.get_writer(
        path,
        fps=frames_per_second,
        codec="libx264",
        macro_block_size=1,
        # Quick to write; quick to start in a browser.
        output_params=["-preset", "veryfast", "-movflags", "+faststart"],
    ) as writer:
        for frame in itertools.chain((first,), checked):
            writer.append_data(_even(frame))


def beside(rendered: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Puts what an environment renders on the left of what an agent sees of it.

    Args:
      rendered: uint8 [H, W, 3] RGB, scaled to the height of the other.
      seen: as the pixels of compose_frame.

    Returns:
      uint8 [H', W', 3] RGB.
    """
    seen = _enlarged(seen)
    height = seen.shape[0]
    width = max(1, round(rendered.shape[1] * height / rendered.shape[0]))
    scaled = Image.fromarray(rendered).resize((width, height), Image.Resampling.BOX)
    gap = np.full((height, _MARGIN, 3), _BACKGROUND, np.uint8)
    return np.concatenate((np.asarray(scaled), gap, seen), axis=1)


def compose_frame(
    pixels: np.ndarray,
    action_names: Sequence[str],
    student_probabilities: np.ndarray,
    teacher_probabilities: np.ndarray | None,
    caption: str,
    action: int | None = None,
    instruction: str | None = None,
) -> np.ndarray:
    """Draws a frame of the game beside bars of the policies' probabilities.

    Args:
      pixels: uint8 [H, W, 3] RGB; or [H, W, C] category codes by row and column, where
        H and W are at most base.MAX_GRID_SIZE: a cell has the colour of its first, and
        its first three are written in it.
      action_names: A names.
      student_probabilities: float [A].
      teacher_probabilities: float [A], or None without a teacher.
      caption: one line below.
      action: the index of the action that is marked as chosen, or None.
      instruction: a line between game and caption, smaller where it is long, and cut
        where that is not enough; empty where nothing is said now, None without such a
        line.

    Returns:
      uint8 [H', W', 3] with even H' and W', which depend on the shapes, and on whether
      there may be instructions, alone.

    Raises:
      VideoError: the probabilities do not fit the action names.
    """
    policies = [(_STUDENT, "student", student_probabilities)]
    if teacher_probabilities is not None:
        policies.append((_TEACHER, "teacher", teacher_probabilities))
    for _, name, probabilities in policies:
        if np.shape(probabilities) != (len(action_names),):
            raise VideoError(
                f"{name} probabilities of shape {np.shape(probabilities)} do not fit "
                f"{len(action_names)} actions"
            )
    game = _enlarged(pixels)
    height = max(
        game.shape[0],
        _LEGEND_HEIGHT + _SMALLEST_ACTION_HEIGHT * len(action_names),
    )
    width = game.shape[1] + _PANEL_WIDTH
    said_height = 0 if instruction is None else _CAPTION_HEIGHT
    whole_height = _up_to_even(height + said_height + _CAPTION_HEIGHT)
    canvas = Image.new("RGB", (width + width % 2, whole_height), _BACKGROUND)
    canvas.paste(Image.fromarray(game), (0, 0))
    draw = ImageDraw.Draw(canvas)
    left = game.shape[1] + _MARGIN
    _draw_legend(draw, left, [(colour, name) for colour, name, _ in policies])
    action_height = min(
        (height - _LEGEND_HEIGHT) // len(action_names), _LARGEST_ACTION_HEIGHT
    )
    for index, name in enumerate(action_names):
        _draw_action(
            draw,
            (left, _LEGEND_HEIGHT + index * action_height),
            action_height,
            name,
            [(colour, float(values[index])) for colour, _, values in policies],
            chosen=index == action,
        )
    if instruction:
        _draw_instruction(draw, height + said_height / 2, width, instruction)
    draw.text(
        (_MARGIN, height + said_height + _CAPTION_HEIGHT / 2),
        caption,
        fill=_TEXT,
        font=_font(16),
        anchor="lm",
    )
    return np.asarray(canvas)


def _checked(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    shape = None
    for frame in frames:
        frame = np.asarray(frame)
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise VideoError(
                f"frames must be uint8 [H, W, 3], not {frame.dtype} {frame.shape}"
            )
        if frame.shape != (shape := shape or frame.shape):
            raise VideoError(f"frames of shapes {shape} and {frame.shape} in one video")
        yield frame


def _palette_image(frame: np.ndarray) -> Image.Image:
    # Pillow's default, the median cut, is ten times as slow.
    return Image.fromarray(frame).quantize(method=Image.Quantize.FASTOCTREE)


def _up_to_even(size: int) -> int:
    return size + size % 2


def _even(frame: np.ndarray) -> np.ndarray:
    """H.264 halves the resolution of colour: its frames have even sides."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _enlarged(pixels: np.ndarray) -> np.ndarray:
    factor = max(1, _GAME_HEIGHT // pixels.shape[0])
    if max(pixels.shape[:2]) > base.MAX_GRID_SIZE:
        return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    colours = _GRID_COLOURS[pixels[..., 0] % len(_GRID_COLOURS)]
    canvas = Image.fromarray(colours.repeat(factor, axis=0).repeat(factor, axis=1))
    draw = ImageDraw.Draw(canvas)
    for row, column in np.ndindex(pixels.shape[:2]):
        draw.text(
            ((column + 0.5) * factor, (row + 0.5) * factor),
            "\n".join(map(str, pixels[row, column, :_WRITTEN_CODES])),
            fill=_TEXT,
            font=_font(max(1, factor // (_WRITTEN_CODES + 2))),
            anchor="mm",
            spacing=1,
            align="center",
            stroke_width=1,
            stroke_fill=_BACKGROUND,
        )
    return np.asarray(canvas)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: it is there on every machine."""
    return ImageFont.load_default(size)


def _draw_legend(
    draw: ImageDraw.ImageDraw,
    left: int,
    entries: Sequence[tuple[tuple[int, int, int], str]],
) -> None:
    for number, (colour, name) in enumerate(entries):
        x, y = left + number * 96, _LEGEND_HEIGHT // 2
        draw.rectangle((x, y - 5, x + 10, y + 5), fill=colour)
        draw.text((x + 17, y), name, fill=_DIM_TEXT, font=_font(14), anchor="lm")


def _draw_instruction(
    draw: ImageDraw.ImageDraw, middle: float, width: int, instruction: str
) -> None:
    text, room = " ".join(instruction.split()), width - 2 * _MARGIN
    size = next(
        (
            size
            for size in range(16, _SMALLEST_TEXT, -1)
            if draw.textlength(text, _font(size)) <= room
        ),
        _SMALLEST_TEXT,
    )
    if draw.textlength(text, _font(size)) > room:
        while draw.textlength(f"{text}...", _font(size)) > room:
            text = text[:-1]
        text = f"{text}..."
    draw.text((_MARGIN, middle), text, fill=_TEXT, font=_font(size), anchor="lm")


def _draw_action(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    height: int,
    name: str,
    bars: Sequence[tuple[tuple[int, int, int], float]],
    chosen: bool,
) -> None:
    left, top = corner
    right = left + _PANEL_WIDTH - 2 * _MARGIN
    middle = top + height / 2
    if chosen:
        draw.rectangle(
            (left - 6, top, right + 6, top + height - 2), fill=_CHOSEN_BACKGROUND
        )
        draw.polygon(
            ((left - 2, middle - 5), (left - 2, middle + 3), (left + 4, middle - 1)),
            fill=_TEXT,
        )
    size = min(14, height - 2)
    draw.text(
        (left + 10, middle - 1),
        name,
        fill=_TEXT if chosen else _DIM_TEXT,
        font=_font(size),
        anchor="lm",
    )
    start = left + _NAME_WIDTH
    length = right - _VALUE_WIDTH - start
    padding = max(2, height // 8)
    thickness = (height - 2 - 2 * padding) / len(bars)
    for number, (colour, probability) in enumerate(bars):
        y = top + padding + number * thickness
        box = (start, y, start + length, y + thickness - 1)
        draw.rectangle(box, fill=_TRACK)
        if probability * length >= 1:
            draw.rectangle(
                (start, y, start + probability * length, y + thickness - 1), fill=colour
            )
    draw.text(
        (right, middle - 1),
        f"{bars[0][1]:.0%}",
        fill=bars[0][0],
        font=_font(size),
        anchor="rm",
    )

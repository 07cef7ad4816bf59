"""Pictures of plans and studies, for paper and screen: half a slide, readable in black and white, as SVG and PNG."""

from optimizer.telling.pictures.gallery import picture_of, pictures_of
from optimizer.telling.pictures.sheet import picture_bytes, save_picture

__all__ = ["picture_bytes", "picture_of", "pictures_of", "save_picture"]

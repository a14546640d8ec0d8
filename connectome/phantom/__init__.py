"""A synthetic EM volume whose connectome is known exactly: example, test world and load generator."""

from connectome.phantom.config import PhantomConfig, PhantomPreset
from connectome.phantom.phantom import Phantom, PhantomBlock, PhantomSynapse
from connectome.phantom.write import write_phantom

__all__ = ["Phantom", "PhantomBlock", "PhantomConfig", "PhantomPreset", "PhantomSynapse", "write_phantom"]

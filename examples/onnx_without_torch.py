"""Name the emotion of a clip with onnxruntime alone: python onnx_without_torch.py MODEL CLIP."""

import json
import sys

import numpy as np
import onnxruntime
import soundfile

model, clip = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
about = session.get_modelmeta().custom_metadata_map
samples, rate_hz = soundfile.read(clip, dtype="float32", always_2d=True)
if rate_hz != int(about["sample_rate_hz"]):
    sys.exit(f"{clip} has {rate_hz} Hz: resample it to {about['sample_rate_hz']} Hz first")
waveform = samples.mean(axis=1)[None]  # (1, samples)
lengths = np.array([waveform.shape[1]])
[scores], [received] = session.run(None, {"waveform": waveform, "lengths": lengths})
for score, name in sorted(zip(scores, json.loads(about["labels"]), strict=True), reverse=True):
    print(f"{name:>10} {score:.1%}")
print(f"looked most at {received.argmax() / len(received):.0%} of the clip")

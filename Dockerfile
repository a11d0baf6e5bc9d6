# docker build --target analyst -t echo-lab .       simulation, calibration, pages; a worker of a Dask cluster
# docker build --target researcher -t echo-lab-rl . training too
FROM python:3.12-slim AS base
WORKDIR /opt/echo-lab
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY echo_env echo_env
COPY sb3_ext sb3_ext
COPY zoo_configs zoo_configs

FROM base AS analyst
RUN pip install -c constraints.txt ".[fast,calibrate,report,parquet,dask]"
WORKDIR /work
# Kernels are compiled into the image, for processors of this kind.
RUN echo-lab evaluate --policies policy_2 --days 2
CMD ["echo-lab", "--help"]

FROM base AS researcher
RUN pip install -c constraints.txt ".[all,dask]"
WORKDIR /work
RUN echo-lab evaluate --policies policy_2 agent --days 2
CMD ["echo-lab", "train", "--help"]

# The nightly job as a user without rights. Build after `make dist`:
#   docker build -t pmo-analytics .
#   docker run --rm -v /srv/pmo:/data pmo-analytics batch /data/batch.toml \
#       --as-of 2027-03-31 --out /data/runs
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 pmo
COPY dist/*.whl /tmp/
# The command line, databases and slides; no notebooks.
RUN pip install --no-cache-dir "$(ls /tmp/*.whl)[postgres,office]" && rm /tmp/*.whl

USER pmo
WORKDIR /data
# Fonts and compiled code are kept where the user may write.
ENV MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
ENTRYPOINT ["pmo"]
CMD ["--help"]

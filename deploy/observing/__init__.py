"""Alerts and dashboards as code: `python -m deploy.observing` writes deploy/prometheus and deploy/grafana anew."""

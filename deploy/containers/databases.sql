-- One database for each service: none reads another's tables.
CREATE DATABASE intake;
CREATE DATABASE routing;
CREATE DATABASE notifications;

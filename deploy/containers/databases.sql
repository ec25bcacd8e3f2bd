-- One database for each owner of tables: none reads another's.
CREATE DATABASE intake;
CREATE DATABASE routing;
CREATE DATABASE deliveries;
CREATE DATABASE notifications;

-- MySQL dump 10.19
/*!40101 SET character_set_client = utf8 */;
DROP TABLE IF EXISTS `blacklist`;
CREATE TABLE `blacklist` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `to_address` text DEFAULT NULL,
  `to_domain` text DEFAULT NULL,
  `from_address` text DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
LOCK TABLES `blacklist` WRITE;
INSERT INTO `blacklist` VALUES (1,'default','','spam.example'),(2,'bob@example.com','example.com','offers@shop.example'),(3,'default','','198.51.100.7'),(4,'bob@example.com','example.com','news@list.example');
UNLOCK TABLES;
DROP TABLE IF EXISTS `whitelist`;
CREATE TABLE `whitelist` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `to_address` text DEFAULT NULL,
  `to_domain` text DEFAULT NULL,
  `from_address` text DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `whitelist` VALUES (1,'default','','partner.example'),(2,'ann@example.com','example.com','shop.example'),(3,'example.com','example.com','192.0.2.'),(4,'default','','news@list.example'),(5,'all@example.com','example.com','default');
DROP TABLE IF EXISTS `users`;
CREATE TABLE `users` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `username` varchar(191) NOT NULL DEFAULT '',
  `password` varchar(255) DEFAULT NULL,
  `fullname` varchar(255) NOT NULL DEFAULT '',
  `type` enum('A','D','U','R','H') DEFAULT NULL,
  `quarantine_report` tinyint(1) DEFAULT 0,
  `spamscore` float DEFAULT 0,
  `highspamscore` float DEFAULT 0,
  `noscan` tinyint(1) DEFAULT 0,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `users` VALUES (1,'admin','$2y$10$abcdefghijklmnopqrstuv','Administrator','A',0,0,0,0),(2,'bob@example.com','','Bob','U',1,4.5,9,0),(3,'lab@example.com','','The lab','U',0,0,0,1);

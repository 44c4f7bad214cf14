-- A dump for tests of the import
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `whitelist`;
CREATE TABLE `whitelist` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `to_address` text DEFAULT NULL,
  `to_domain` text DEFAULT NULL,
  `from_address` text DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `whitelist_uniq` (`to_address`(100),`from_address`(100))
) ENGINE=InnoDB COMMENT='it''s; (a list)';
INSERT INTO `whitelist` VALUES (1,'default','','partner@friend.example'),(2,'bob@example.com','example.com','@shop.example'),
(3,'example.com','example.com','192.0.2.'),(4,'ann@example.com','example.com','default'),(5,'bob@example.com','example.com','not an\taddress');
CREATE TABLE `blacklist` (`id` int, `to_address` text, `to_domain` text, `from_address` text);
INSERT INTO `blacklist` (`from_address`, `to_address`) VALUES ('*@spam.example','default'),('198.51.100.7','default'),('x@spam.example','bob@example.com');
CREATE TABLE `users` (
  `id` bigint, `username` varchar(191), `password` varchar(255), `fullname` varchar(255), `type` enum('A','D','U','R','H'),
  `spamscore` float DEFAULT 0, `highspamscore` float, `noscan` tinyint(1)
);
INSERT INTO `users` VALUES (1,'admin','$2y$10$abcdefghijklmnopqrstuv','The \'boss\'','A',0,0,0),(2,'dora@example.com','5f4dcc3b5aa765d61d8327deb882cf99','','D',0,0,0),
(3,'bob@example.com',NULL,'Bob','U',5.5,12,1),(4,'x; rm -rf /','','','A',0,0,0);
CREATE TABLE `user_filters` (`username` varchar(191), `filter` text, `verify_key` varchar(32), `active` enum('N','Y'));
INSERT INTO `user_filters` VALUES ('bob@example.com','robert@example.com','','Y'),('bob@example.com','old@example.com','','N');
CREATE TABLE `maillog` (`id` int);
INSERT INTO `maillog` VALUES (1),(2);

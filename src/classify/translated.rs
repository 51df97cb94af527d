//! What the C library says of an error in the language of the container, `LANG=de_DE.UTF-8`: German, French, Spanish,
//! Italian, Portuguese, Russian, Japanese and Chinese, in this order; and what PostgreSQL says there of a password.

use super::messages::{Rule, rule};
use super::reason::*;

/// Letters outside of ASCII count as they are written here.
pub static TRANSLATED: &[Rule] = &[
    rule(AUTHENTICATION_FAILED, &["passwort-authentifizierung"]),
    rule(AUTHENTICATION_FAILED, &["authentification par mot de passe"]),
    rule(AUTHENTICATION_FAILED, &["autentificación password falló"]),
    rule(AUTHENTICATION_FAILED, &["パスワード認証に失敗しました"]),
    rule(CONNECTION_REFUSED, &["verbindungsaufbau abgelehnt"]),
    rule(CONNECTION_REFUSED, &["connexion refusée"]),
    rule(CONNECTION_REFUSED, &["conexión rehusada"]),
    rule(CONNECTION_REFUSED, &["connessione rifiutata"]),
    rule(CONNECTION_REFUSED, &["conexão recusada"]),
    rule(CONNECTION_REFUSED, &["В соединении отказано"]),
    rule(CONNECTION_REFUSED, &["接続を拒否されました"]),
    rule(CONNECTION_REFUSED, &["拒绝连接"]),
    rule(CONNECTION_REFUSED, &["keine Route zum Zielrechner"]),
    rule(CONNECTION_REFUSED, &["aucun chemin d'accès pour atteindre l'hôte cible"]),
    rule(CONNECTION_REFUSED, &["no existe ninguna ruta hasta el `host'"]),
    rule(CONNECTION_REFUSED, &["nessun instradamento per l'host"]),
    rule(CONNECTION_REFUSED, &["não há rota para o host"]),
    rule(CONNECTION_REFUSED, &["Нет маршрута до узла"]),
    rule(CONNECTION_REFUSED, &["ホストへの経路がありません"]),
    rule(CONNECTION_REFUSED, &["没有到主机的路由"]),
    rule(DNS_FAILURE, &["der Name oder der Dienst ist nicht bekannt"]),
    rule(DNS_FAILURE, &["nom ou service inconnu"]),
    rule(DNS_FAILURE, &["nombre o servicio desconocido"]),
    rule(DNS_FAILURE, &["nome o servizio sconosciuto"]),
    rule(DNS_FAILURE, &["nome ou serviço desconhecido"]),
    rule(DNS_FAILURE, &["Неизвестное имя или служба"]),
    rule(DNS_FAILURE, &["名前またはサービスが不明です"]),
    rule(DNS_FAILURE, &["未知的名称或服务"]),
    rule(DNS_FAILURE, &["temporärer Fehler bei der Namensauflösung"]),
    rule(DNS_FAILURE, &["Échec temporaire dans la résolution du nom"]),
    rule(DNS_FAILURE, &["fallo temporal en la resolución del nombre"]),
    rule(DNS_FAILURE, &["errore temporaneo nella risoluzione del nome"]),
    rule(DNS_FAILURE, &["falha temporário na resolução de nome"]),
    rule(DNS_FAILURE, &["Временный сбой в разрешении имен"]),
    rule(DNS_FAILURE, &["名前解決に一時的に失敗しました"]),
    rule(DNS_FAILURE, &["域名解析暂时失败"]),
    rule(PORT_IN_USE, &["die Adresse wird bereits verwendet"]),
    rule(PORT_IN_USE, &["adresse déjà utilisée"]),
    rule(PORT_IN_USE, &["la dirección ya se está usando"]),
    rule(PORT_IN_USE, &["indirizzo già in uso"]),
    rule(PORT_IN_USE, &["endereço já em uso"]),
    rule(PORT_IN_USE, &["Адрес уже используется"]),
    rule(PORT_IN_USE, &["アドレスは既に使用中です"]),
    rule(PORT_IN_USE, &["地址已在使用"]),
    rule(DEPENDENCY_TIMEOUT, &["die Wartezeit für die Verbindung ist abgelaufen"]),
    rule(DEPENDENCY_TIMEOUT, &["connexion terminée par expiration du délai d'attente"]),
    rule(DEPENDENCY_TIMEOUT, &["expiró el tiempo de conexión"]),
    rule(DEPENDENCY_TIMEOUT, &["connessione scaduta"]),
    rule(DEPENDENCY_TIMEOUT, &["tempo esgotado para conexão"]),
    rule(DEPENDENCY_TIMEOUT, &["Время ожидания соединения истекло"]),
    rule(DEPENDENCY_TIMEOUT, &["接続がタイムアウトしました"]),
    rule(DEPENDENCY_TIMEOUT, &["连接超时"]),
    rule(DISK_FULL, &["auf dem Gerät ist kein Speicherplatz mehr verfügbar"]),
    rule(DISK_FULL, &["aucun espace disponible sur le périphérique"]),
    rule(DISK_FULL, &["no queda espacio en el dispositivo"]),
    rule(DISK_FULL, &["spazio esaurito sul device"]),
    rule(DISK_FULL, &["não há espaço disponível no dispositivo"]),
    rule(DISK_FULL, &["На устройстве не осталось свободного места"]),
    rule(DISK_FULL, &["デバイスに空き領域がありません"]),
    rule(DISK_FULL, &["设备上没有空间"]),
    rule(TOO_MANY_OPEN_FILES, &["zu viele offene Dateien"]),
    rule(TOO_MANY_OPEN_FILES, &["trop de fichiers ouverts"]),
    rule(TOO_MANY_OPEN_FILES, &["demasiados ficheros abiertos"]),
    rule(TOO_MANY_OPEN_FILES, &["troppi file aperti"]),
    rule(TOO_MANY_OPEN_FILES, &["muitos arquivos abertos"]),
    rule(TOO_MANY_OPEN_FILES, &["Слишком много открытых файлов"]),
    rule(TOO_MANY_OPEN_FILES, &["ファイルを開きすぎです"]),
    rule(TOO_MANY_OPEN_FILES, &["打开的文件过多"]),
    rule(PERMISSION_DENIED, &["keine Berechtigung"]),
    rule(PERMISSION_DENIED, &["permission non accordée"]),
    rule(PERMISSION_DENIED, &["permiso denegado"]),
    rule(PERMISSION_DENIED, &["permesso negato"]),
    rule(PERMISSION_DENIED, &["permissão negada"]),
    rule(PERMISSION_DENIED, &["Отказано в доступе"]),
    rule(PERMISSION_DENIED, &["許可がありません"]),
    rule(PERMISSION_DENIED, &["权限不够"]),
    rule(MISSING_FILE, &["datei oder Verzeichnis nicht gefunden"]),
    rule(MISSING_FILE, &["aucun fichier ou dossier de ce type"]),
    rule(MISSING_FILE, &["no existe el fichero o el directorio"]),
    rule(MISSING_FILE, &["file o directory non esistente"]),
    rule(MISSING_FILE, &["arquivo ou diretório inexistente"]),
    rule(MISSING_FILE, &["Нет такого файла или каталога"]),
    rule(MISSING_FILE, &["そのようなファイルやディレクトリはありません"]),
    rule(MISSING_FILE, &["没有那个文件或目录"]),
];

#[cfg(test)]
mod tests {
    use super::super::messages::{Messages, Voice};

    #[test]
    fn errors_of_the_system_are_read_in_other_languages() {
        let cases = [
            ("/etc/lanes.conf (Keine Berechtigung)", "PermissionDenied"),
            ("Verbindungsaufbau abgelehnt", "ConnectionRefused"),
            ("Connexion refusée", "ConnectionRefused"),
            ("No queda espacio en el dispositivo", "DiskFull"),
            ("Нет такого файла или каталога", "MissingFile"),
            ("アドレスは既に使用中です", "PortInUse"),
            ("连接超时", "DependencyTimeout"),
            ("FATAL: Passwort-Authentifizierung für Benutzer »app« fehlgeschlagen", "AuthenticationFailed"),
        ];
        let messages = Messages::default();
        for (text, reason) in cases {
            let meaning = messages.meaning(text, Voice::Panic);
            assert_eq!(meaning.map(|m| m.reason.to_string()).as_deref(), Some(reason), "{text}");
        }
    }
}

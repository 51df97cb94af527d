namespace Acme.Depot.Plugins
{
    public class Plugin
    {
        public int Size()
        {
            return 3;
        }
    }
}
